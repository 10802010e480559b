"""Merger trees of simulations: formats, main branches, conversion to halo histories, and a validation report."""

__all__: list[str] = []
