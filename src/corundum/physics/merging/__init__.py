"""When satellites merge with the galaxy in the middle of their halo."""

__all__: list[str] = []
