"""Training: laws with networks fitted to data by steps along gradients in reverse mode."""

__all__: list[str] = []
