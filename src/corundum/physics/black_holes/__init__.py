"""How black holes are fed, and what they give back."""

__all__: list[str] = []
