"""Main branches made smooth: repair, mass loss, smoothing in time, and a record of what was done."""

__all__: list[str] = []
