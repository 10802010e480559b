"""Surrogates: cheap functions of the parameters that stand in for the predictions of a model while chains move."""

__all__: list[str] = []
