"""Processes: physics that any galaxy model can take in, each with its own reservoirs and flows."""

__all__: list[str] = []
