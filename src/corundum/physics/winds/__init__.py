"""Winds of the interstellar medium: how much mass, energy and metals supernovae drive out."""

__all__: list[str] = []
