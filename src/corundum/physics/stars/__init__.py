"""Stars: how fast they form, what they return, and the discs they form in."""

__all__: list[str] = []
