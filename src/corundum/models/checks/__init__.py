"""Doors of models: laws and processes are checked when a model is made, each mistake in one sentence."""

__all__: list[str] = []
