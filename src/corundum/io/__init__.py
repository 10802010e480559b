"""Saving and opening results: one HDF5 file whose every dataset says its unit and meaning."""

from typing import TYPE_CHECKING

from ..lazy_names import lazy_names

if TYPE_CHECKING:  # imported when they are first used
    from ..storage.checkpoints import Checkpoint, CheckpointFolder
    from .calibration import SavedCalibration, load_calibration, save_calibration
    from .posterior import load_posterior, save_posterior
    from .results import Results, load, save
    from .sensitivity import load_sensitivity, save_sensitivity
    from .training import load_training, save_training

__all__ = [
    "Checkpoint",
    "CheckpointFolder",
    "Results",
    "SavedCalibration",
    "load",
    "load_calibration",
    "load_posterior",
    "load_sensitivity",
    "load_training",
    "save",
    "save_calibration",
    "save_posterior",
    "save_sensitivity",
    "save_training",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__)
