"""Optimisers: the highest posterior density from many starts at once, one file for each way to find it."""

__all__: list[str] = []
