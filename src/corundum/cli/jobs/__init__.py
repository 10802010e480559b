"""Jobs: what the commands that take a run file do, stage by stage."""

__all__: list[str] = []
