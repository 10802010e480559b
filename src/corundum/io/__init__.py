"""Saving and opening results: one HDF5 file whose every dataset says its unit and meaning."""

from .cooling_tables import read_wiersma09
from .files import atomic_path
from .halos import load_halos, save_halos
from .posterior import StateFile, StateFolder, load_posterior, save_posterior
from .results import Results, load, save
from .sensitivity import BlockFolder, load_sensitivity, save_sensitivity

__all__ = [
    "BlockFolder",
    "Results",
    "StateFile",
    "StateFolder",
    "atomic_path",
    "load",
    "load_halos",
    "load_posterior",
    "load_sensitivity",
    "read_wiersma09",
    "save",
    "save_halos",
    "save_posterior",
    "save_sensitivity",
]
