"""Reports: one self-contained HTML page for a run, a fit, a study of sensitivities or a set of merger trees."""

__all__: list[str] = []
