"""What happens to a galaxy in the halo of another one."""

__all__: list[str] = []
