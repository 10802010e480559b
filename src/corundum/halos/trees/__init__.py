"""Merger trees of simulations: their formats, how they are found and read, and their main branches."""

__all__: list[str] = []
