"""Studies of a fit: what other data would tell, and how many halos it needs."""

__all__: list[str] = []
