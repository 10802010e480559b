"""Cooling functions: tables and analytic rates of how much power a plasma radiates."""

__all__: list[str] = []
