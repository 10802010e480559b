"""Arrays, components and checkpoints in files; this layer knows nothing of halos or galaxies."""

__all__: list[str] = []
