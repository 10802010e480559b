"""Saving and opening results: one HDF5 file whose every dataset says its unit and meaning."""

from .posterior import StateFile, StateFolder, load_posterior, save_posterior
from .results import Results, load, save
from .sensitivity import BlockFolder, load_sensitivity, save_sensitivity

__all__ = [
    "BlockFolder",
    "Results",
    "StateFile",
    "StateFolder",
    "load",
    "load_posterior",
    "load_sensitivity",
    "save",
    "save_posterior",
    "save_sensitivity",
]
