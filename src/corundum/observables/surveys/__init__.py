"""Curated sets of measurements, which of them a model is fitted to, and how far a model is from all of them."""

__all__: list[str] = []
