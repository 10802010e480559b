"""Gas of the halo: its inflow, profile, condensation, turbulence and outflow."""

__all__: list[str] = []
