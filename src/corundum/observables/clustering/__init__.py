"""Clustering of galaxies: how many of a selection live in halos of which mass, and their projected correlation."""

__all__: list[str] = []
