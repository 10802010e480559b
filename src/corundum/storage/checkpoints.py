"""Checkpoints: finished parts of long work kept in files, so that an interrupted call resumes where it stopped.

A checkpoint is one ``.npz`` file of named arrays.  It is replaced in one step, so that it is whole or absent, and it
holds the fingerprint of everything that the work depends on, so that nothing is ever resumed under other settings.
`Checkpoint` is one such file, for work that cannot be cut into independent parts (a Markov chain);
`CheckpointFolder` keeps independent parts by number or name (blocks of halos, of parameter sets, of mocks).
"""

import errno
import hashlib
import json
import os
import re
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from .. import __version__
from .files import atomic_path

__all__ = ["Checkpoint", "CheckpointFolder", "fingerprint", "fingerprints"]

_IDENTITY, _NUMBER = "identity", "number of arrays"


class Checkpoint:
    """One checkpoint file.

    Parameters
    ----------
    path : path
        Its folder must exist.

    Examples
    --------
    >>> checkpoint = co.io.Checkpoint("chains.npz")
    >>> checkpoint.load() is None
    True
    >>> checkpoint.save({"draws": np.arange(3.0)}, {"data": "first"})
    >>> checkpoint.load({"data": "first"})
    {'draws': array([0., 1., 2.])}
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)

    def load(self, identity: Mapping[str, str] | None = None) -> dict[str, np.ndarray] | None:
        """The arrays that were kept, or None where there is no file.

        Parameters
        ----------
        identity : mapping of str to str, optional
            Fingerprints of all that the work depends on, by name (`fingerprints`); not checked where it is None.

        Raises
        ------
        ValueError
            The file is damaged, or was written under another identity; the message says what differs.
        """
        kept = self._read()
        if kept is None:
            return None
        arrays, before = kept
        changed = [] if identity is None else [k for k in {**before, **identity} if before.get(k) != identity.get(k)]
        if changed:
            raise ValueError(
                f"checkpoint {self.path}: belongs to a different run; what differs: {', '.join(sorted(changed))}; "
                "start again in a new directory, or remove that checkpoint"
            )
        return arrays

    def _read(self) -> tuple[dict[str, np.ndarray], dict[str, str]] | None:
        """The arrays and the identity in the file; None where there is none, a ValueError where it is damaged."""
        if not self.path.exists():
            return None
        try:
            with np.load(self.path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            identity, number = json.loads(str(arrays.pop(_IDENTITY))), int(arrays.pop(_NUMBER))
            if number != len(arrays):
                raise ValueError("some are missing")
            return arrays, identity
        except Exception as error:  # a damaged archive fails in more ways than zipfile and NumPy say
            if getattr(error, "errno", None) not in (None, errno.EINVAL):  # that is a seek to a damaged position
                raise  # no permission or a broken disk: to remove the file would mend nothing
            raise ValueError(f"checkpoint {self.path}: is damaged; remove it to start this part again") from None

    def save(self, arrays: Mapping[str, np.ndarray | np.generic], identity: Mapping[str, str] | None = None) -> None:
        """Replace what was kept by these arrays, in one step."""
        with atomic_path(self.path) as scratch, open(scratch, "wb") as file:
            about = {_IDENTITY: np.array(json.dumps(dict(identity or {}))), _NUMBER: np.array(len(arrays))}
            entries: dict[str, Any] = {**about, **arrays}
            np.savez(file, **entries)


class CheckpointFolder:
    """Checkpoints of independent parts, one file each.

    A part that is damaged, or was written under another identity, counts as missing: it is computed again and
    replaced, because one part costs little.  A damaged one is reported by a warning.

    Parameters
    ----------
    folder : path
        Created if it does not exist; its parent must exist.
    identity : str
        Fingerprint of all that the parts depend on (`fingerprint`).

    Examples
    --------
    >>> store = co.io.CheckpointFolder("blocks", identity="study of 8 halos")
    >>> store.save(0, {"mstar": np.ones(2)})
    >>> store.load(0)
    {'mstar': array([1., 1.])}
    >>> co.io.CheckpointFolder("blocks", identity="study of 9 halos").load(0) is None
    True
    >>> store.part("errors x 0.5").path.name
    'errors-x-0-5.npz'
    """

    def __init__(self, folder: str | os.PathLike, identity: str = ""):
        self.folder, self.identity = Path(folder), identity
        self.folder.mkdir(exist_ok=True)

    def part(self, name: int | str) -> Checkpoint:
        """The checkpoint of one part: ``block-00003.npz`` of the number 3, a plain file name of a text."""
        stem = f"block-{name:05d}" if isinstance(name, int) else re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")
        return Checkpoint(self.folder / f"{stem}.npz")

    def numbers(self) -> list[int]:
        """The numbers of the parts that have a file, in increasing order."""
        return sorted(int(path.stem.removeprefix("block-")) for path in self.folder.glob("block-[0-9]*.npz"))

    def load(self, name: int | str, inputs: Mapping[str, str] | None = None) -> dict[str, np.ndarray] | None:
        """The arrays of one part, or None where it has to be computed.

        Parameters
        ----------
        name : int or str
        inputs : mapping of str to str, optional
            What this part depends on beyond the identity of the folder.
        """
        checkpoint = self.part(name)
        try:
            kept = checkpoint._read()
        except ValueError:
            warnings.warn(f"checkpoint {checkpoint.path} is damaged: this part is computed again", stacklevel=2)
            return None
        return kept[0] if kept is not None and kept[1] == self._identity(inputs) else None

    def save(
        self, name: int | str, arrays: Mapping[str, np.ndarray | np.generic], inputs: Mapping[str, str] | None = None
    ) -> None:
        """Keep the arrays of one part, in one step; `inputs` as for `load`."""
        self.part(name).save(arrays, self._identity(inputs))

    def _identity(self, inputs: Mapping[str, str] | None) -> dict[str, str]:
        return {"folder": self.identity, **(inputs or {})}


def fingerprint(inputs: Any, files: Iterable[Path] = ()) -> str:
    """SHA-256 of a pytree, of the content of files, and of the version of corundum, in hexadecimal.

    The arrays enter with their type, shape and bytes; everything else enters by its text.

    Examples
    --------
    >>> from corundum.storage.checkpoints import fingerprint
    >>> fingerprint({"mass": np.zeros(2)}) == fingerprint({"mass": np.zeros(2)})
    True
    >>> fingerprint({"mass": np.zeros(2)}) == fingerprint({"mass": np.zeros((2, 1))})
    False
    """
    digest = hashlib.sha256(__version__.encode())
    leaves, structure = jax.tree.flatten(inputs)
    digest.update(_text(structure))
    for leaf in leaves:
        if isinstance(leaf, jax.Array | np.ndarray | np.generic | float | int | bool):
            array = np.asarray(leaf)
            digest.update(f"{array.dtype}{array.shape}".encode() + array.tobytes())
        else:
            digest.update(_text(leaf))
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def fingerprints(inputs: Mapping[str, Any]) -> dict[str, str]:
    """The `fingerprint` of each of some named inputs, so that a message can say which of them has changed."""
    return {name: fingerprint(value) for name, value in inputs.items()}


def _text(value: Any) -> bytes:
    # Functions print with their address, which differs from process to process.
    return re.sub(r"0x[0-9a-f]+", "", str(value)).encode()
