"""Solvers: adaptive integration of many trajectories at once, with exact derivatives."""

__all__: list[str] = []
