"""Calibrations on disk: the numbers that were found, how well they are known, and how far galaxies are from the data.

A calibration is one JSON file, which people and other programs can read.
"""

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..storage.files import atomic_path

if TYPE_CHECKING:
    from ..inference import Calibration

__all__ = ["SavedCalibration", "load_calibration", "save_calibration"]

_FORMAT = "corundum calibration 1"


class SavedCalibration(NamedTuple):
    """What a file of a calibration holds.

    Attributes
    ----------
    survey : str
    values : dict of str to float
        All numbers that the calibration found, and those that its run file set, for `corundum.replace`.
    lower, upper : dict of str to float
        Ends of the 68% interval of each free number.
    covariance : array, shape (P, P)
        Of the coordinates of the free numbers, in which the prior is the standard normal; in the order of `lower`.
    residuals : list of dict
        Name, redshift, use, rms and tolerance of each measurement.
    about : dict
        What was run.

    Examples
    --------
    >>> saved = co.io.SavedCalibration("mine", {"mass_loading.slope": -2.0}, {}, {}, np.eye(0), [], {})
    >>> float(co.replace(model, saved.values).mass_loading.slope)
    -2.0
    """

    survey: str
    values: dict[str, float]
    lower: dict[str, float]
    upper: dict[str, float]
    covariance: np.ndarray
    residuals: list[dict[str, Any]]
    about: dict[str, Any]

    def __repr__(self) -> str:
        counts = f"{len(self.values)} numbers, {len(self.residuals)} measurements"
        return f"<SavedCalibration on survey {self.survey}: {counts}>"


def save_calibration(
    path: str | os.PathLike,
    calibration: "Calibration",
    about: Mapping[str, Any] | None = None,
    *,
    held: Mapping[str, float] | None = None,
) -> None:
    """Write a calibration to a JSON file, in one step.

    Parameters
    ----------
    path : path
    calibration : Calibration
    about : mapping, optional
        What was run, in what JSON can hold.
    held : mapping of str to float, optional
        Numbers of the model that were set and not free; `values` of the file has them too, so that the file says all
        that makes the calibrated model.

    Raises
    ------
    OSError
        The folder is missing or not writable, or the disk is full.

    Examples
    --------
    See `corundum.inference.calibrate`, whose result it takes.

    >>> callable(co.io.save_calibration)
    True
    """
    content = {
        "format": _FORMAT,
        "survey": calibration.survey,
        "values": {**(held or {}), **calibration.values},
        "lower": calibration.lower,
        "upper": calibration.upper,
        "covariance": np.asarray(calibration.fit.covariance).tolist(),
        "misfit": list(calibration.fit.misfit),
        "points": calibration.points,
        "ln_evidence": calibration.ln_evidence,
        "failed": calibration.failed,
        "residuals": [
            {
                "measurement": row.test.measurement.name,
                "redshift": row.test.redshift,
                "calibrates": row.test.calibrates,
                "reached": row.reached,
                "points": row.points,
                "bias": _number(row.bias),
                "rms": _number(row.rms),
                "tolerance": row.test.tolerance,
            }
            for row in calibration.after.rows
        ],
        "about": dict(about or {}),
    }
    with atomic_path(path) as scratch:
        scratch.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def load_calibration(path: str | os.PathLike) -> SavedCalibration:
    """The calibration in a file written by `save_calibration`.

    Raises
    ------
    FileNotFoundError, ValueError
        There is no such file, or it is no calibration.

    Examples
    --------
    >>> from pathlib import Path
    >>> _ = Path("other.json").write_text("{}")
    >>> co.io.load_calibration("other.json")
    Traceback (most recent call last):
        ...
    ValueError: other.json: is no calibration; give a file that corundum calibrate has written
    """
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        content = json.loads(text)
        if content["format"] != _FORMAT:
            raise ValueError(content["format"])
        return SavedCalibration(
            content["survey"], content["values"], content["lower"], content["upper"],
            np.array(content["covariance"], float), content["residuals"], content["about"],
        )  # fmt: skip
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path}: is no calibration; give a file that corundum calibrate has written") from None
