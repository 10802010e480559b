"""Sensitivities over a whole prior: designs of parameter sets, their solution, and measures of the result."""

__all__: list[str] = []
