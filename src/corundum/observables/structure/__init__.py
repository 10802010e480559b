"""What galaxies look like: sizes, bulges, black holes, and whether they still form stars."""

__all__: list[str] = []
