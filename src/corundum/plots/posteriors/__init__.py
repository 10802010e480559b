"""Figures of fits: predictions over data, chains, corner plots, calibration and forecasts."""

__all__: list[str] = []
