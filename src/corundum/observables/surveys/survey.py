"""A survey: measurements at several redshifts, which of them calibrate a model, and what a good model reaches.

A survey is a TOML file: a ``meaning``, and a table ``[[test]]`` for each measurement, with the keys ``data`` (a name of
``corundum data list``, or the path of a file), ``redshift``, ``tolerance``, ``why`` and, where they matter,
``galaxies``, ``calibrates`` and ``between``, the least and the largest x.  A new file in the folder ``data/surveys`` of
the package is available by its name.
"""

import dataclasses
import os
import tomllib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from ...messages import did_you_mean
from ..files import is_file_name, load
from ..measurement import Measurement

__all__ = ["Survey", "SurveyTest", "available_surveys", "survey"]

_KINDS = ("all", "centrals", "satellites", "star-forming")
_REQUIRED = {"data", "redshift", "tolerance"}
_KEYS = {"data", "redshift", "galaxies", "calibrates", "tolerance", "between", "why"}


class SurveyTest(NamedTuple):
    """One measurement of a survey.

    Attributes
    ----------
    measurement : Measurement
    redshift : float
        At which a model is compared.
    galaxies : str
        Which galaxies it is about: all, centrals, satellites, or star-forming (more than 0.2 of their stars in the age
        of the universe).
    calibrates : bool
        Whether models are fitted to it; otherwise it only tests them.
    tolerance : float
        Deviation (rms) that a good model reaches, in the unit of the measurement.
    why : str
        Why it was chosen, and what is doubtful.

    Examples
    --------
    >>> test = co.observables.survey("reference").tests[0]
    >>> test.measurement.name, test.redshift, test.calibrates, test.tolerance
    ('smf_driver22', 0.0, True, 0.1)
    """

    measurement: Measurement
    redshift: float
    galaxies: str
    calibrates: bool
    tolerance: float
    why: str

    def __repr__(self) -> str:
        use = "calibrates" if self.calibrates else "tests"
        return f"<SurveyTest {self.measurement.name} at z = {self.redshift:g}, {self.galaxies}, {use}>"


class Survey(NamedTuple):
    """Measurements at several redshifts; `print` shows what they are for.

    Attributes
    ----------
    name, meaning : str
    tests : tuple of SurveyTest

    Examples
    --------
    >>> reference = co.observables.survey("reference")
    >>> len(reference.calibrating), len(reference.held_out)
    (12, 8)
    >>> reference.redshifts
    (0.0, 0.95, 2.2)
    """

    name: str
    meaning: str
    tests: tuple[SurveyTest, ...]

    @property
    def calibrating(self) -> tuple[SurveyTest, ...]:
        """The tests that a model is fitted to."""
        return tuple(test for test in self.tests if test.calibrates)

    @property
    def held_out(self) -> tuple[SurveyTest, ...]:
        """The tests that no fit has seen."""
        return tuple(test for test in self.tests if not test.calibrates)

    @property
    def redshifts(self) -> tuple[float, ...]:
        """All redshifts of the tests, increasing."""
        return tuple(sorted({test.redshift for test in self.tests}))

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """The measurements of all tests."""
        return tuple(test.measurement for test in self.tests)

    def at(self, redshifts: Sequence[float]) -> "Survey":
        """The tests at some of the redshifts."""
        return self._replace(tests=tuple(test for test in self.tests if test.redshift in redshifts))

    def softened(self, width: float) -> "Survey":
        """The survey with counts that are at least as soft as `width` [dex], such as that of passive galaxies.

        A sharp count has no slope where no galaxy is near its threshold; a soft one says in which direction they are.

        Examples
        --------
        >>> softer = co.observables.survey("reference").softened(0.3)
        >>> {float(t.measurement.relation.width) for t in softer.tests if "passive" in t.measurement.name}
        {0.3}
        """
        return self._replace(tests=tuple(_softened(test, float(width)) for test in self.tests))

    def __repr__(self) -> str:
        return f"<Survey {self.name}: {len(self.calibrating)} measurements to fit and {len(self.held_out)} to test>"

    def __str__(self) -> str:
        rows = [
            f"{'fit ' if test.calibrates else 'test'}  z = {test.redshift:<5g} {test.measurement.name:22}"
            f" to {test.tolerance:<5g} {test.why}"
            for test in self.tests
        ]
        return "\n".join([f"Survey {self.name}: {self.meaning}", *rows])


def _softened(test: SurveyTest, width: float) -> SurveyTest:
    relation: Any = test.measurement.relation
    if not hasattr(relation, "width") or float(relation.width) >= width:
        return test
    softer = dataclasses.replace(relation, width=width)
    return test._replace(measurement=dataclasses.replace(test.measurement, relation=softer))


def _folder():
    return resources.files("corundum") / "data" / "surveys"


def available_surveys() -> list[str]:
    """Names of the surveys that come with the package, sorted.

    Examples
    --------
    >>> co.observables.available_surveys()
    ['reference']
    """
    return sorted(entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name.endswith(".toml"))


def survey(name: str | os.PathLike) -> Survey:
    """A survey that comes with the package, or one of your own from a file.

    Parameters
    ----------
    name : str or path
        One of `available_surveys`, or the path of a file, which has a suffix or a folder in it.

    Raises
    ------
    ValueError
        There is none of that name, or the file is no survey.

    Examples
    --------
    >>> print(co.observables.survey("reference").at([2.2]))
    Survey reference: galaxies between z = 0 and 3: masses, star formation, gas, metals, sizes, black holes
    fit   z = 2.2   smf_weaver23_z2        to 0.2   as at z = 1
    fit   z = 2.2   passive_weaver23_z2    to 0.1   counts of the survey of the mass function
    test  z = 2.2   shmr_behroozi19_z2     to 0.15  as at z = 0
    test  z = 2.2   sfms_koprowski24_z2    to 0.15  star formation near its peak
    test  z = 2.2   gasmzr_sanders21_z2    to 0.1   metals at the peak of star formation, on the same scale as at z = 0
    """
    if is_file_name(name):
        return _read(PurePath(name).stem, name)
    known = available_surveys()
    if name not in known:
        raise ValueError(
            f"survey {name!r}: {did_you_mean(str(name), known)}there are {', '.join(known)}; one of your own is given "
            "by its path, such as ./mine.toml"
        )
    return _read(str(name), _folder() / f"{name}.toml")


def _read(name: str, path: Any) -> Survey:
    try:
        text = (path if hasattr(path, "read_text") else Path(path)).read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except FileNotFoundError:
        raise ValueError(f"survey {path}: there is no such file") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"survey {path}: cannot be read ({error})") from None
    tests = content.get("test")
    if not isinstance(tests, list) or not tests:
        raise ValueError(f"survey {path}: has no [[test]]; give one table for each measurement")
    return Survey(name, str(content.get("meaning", name)), tuple(_test(path, row) for row in tests))


def _test(path: Any, row: Any) -> SurveyTest:
    if not isinstance(row, dict):
        raise ValueError(f"survey {path}: got test = {row!r}; give a table [[test]] for each measurement")
    data = row.get("data", "one test")
    problems = [f"unknown key {key}, allowed {', '.join(sorted(_KEYS))}" for key in sorted(row.keys() - _KEYS)]
    problems += [f"no {key}" for key in sorted(_REQUIRED - row.keys())]
    if row.get("galaxies", "all") not in _KINDS:
        problems.append(f"galaxies {row['galaxies']!r}, allowed {', '.join(_KINDS)}")
    for key in ("redshift", "tolerance"):
        number = row.get(key, 1.0)
        if isinstance(number, bool) or not isinstance(number, int | float) or not (0.0 <= number < 100.0):
            problems.append(f"{key} {number!r}, allowed a number from 0 to 100")
    between = row.get("between", [0.0, 0.0])
    if not (isinstance(between, list) and len(between) == 2 and all(isinstance(x, int | float) for x in between)):
        problems.append(f"between {between!r}, allowed the least and the largest x")
    if problems:
        raise ValueError(f"survey {path}: {data} has {'; '.join(problems)}")
    measurement = load(data)
    if "between" in row:
        measurement = measurement.between(*row["between"])
    return SurveyTest(
        measurement, float(row["redshift"]), row.get("galaxies", "all"), bool(row.get("calibrates", False)),
        float(row["tolerance"]), str(row.get("why", "")),
    )  # fmt: skip
