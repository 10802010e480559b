"""Evidences: how probable the data are under a model as a whole, and which of several models they prefer."""

__all__: list[str] = []
