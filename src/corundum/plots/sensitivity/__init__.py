"""Figures of sensitivities: Jacobians, modes, prior-wide maps and the information in data."""

__all__: list[str] = []
