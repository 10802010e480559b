"""Satellites in merger trees of simulations: who fell into whose halo, when, and on which orbit."""

__all__: list[str] = []
