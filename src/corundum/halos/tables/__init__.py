"""Tables of measured main branches: columns, units, checks and reading."""

__all__: list[str] = []
