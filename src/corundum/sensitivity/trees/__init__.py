"""Derivatives of galaxies that act on each other: centrals and satellites of whole trees."""

__all__: list[str] = []
