"""Optimisers: the highest posterior density from many starts at once."""

__all__: list[str] = []
