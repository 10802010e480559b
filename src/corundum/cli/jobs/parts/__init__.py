"""Parts of jobs that have files of their own."""

__all__: list[str] = []
