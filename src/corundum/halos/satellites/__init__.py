"""Satellites: halos that fell into others, with the galaxies that stay in them until they merge."""

__all__: list[str] = []
