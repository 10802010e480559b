"""Likelihoods: how probable data are, given a prediction and the covariance of their difference."""

__all__: list[str] = []
