"""Run files: reading, checking and writing them, and building the objects they describe."""

__all__: list[str] = []
