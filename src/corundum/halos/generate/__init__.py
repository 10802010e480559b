"""Generated halos: the diffmah population, Monte-Carlo merger trees, and how many halos there are."""

__all__: list[str] = []
