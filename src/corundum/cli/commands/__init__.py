"""Commands: the arguments and the help of each one; what they do is imported when they are called."""

__all__: list[str] = []
