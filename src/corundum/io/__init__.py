"""Saving and opening results: one HDF5 file whose every dataset says its unit and meaning."""

from .files import atomic_path
from .halos import load_halos, save_halos
from .results import Results, load, save

__all__ = ["Results", "atomic_path", "load", "load_halos", "save", "save_halos"]
