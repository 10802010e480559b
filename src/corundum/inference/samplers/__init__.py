"""Samplers: chains that draw from a posterior, resume after an interruption, and say whether they converged."""

__all__: list[str] = []
