"""Checkpoints: whole or absent, never resumed under other settings, and a damaged file is reported."""

import dataclasses
import errno

import jax.numpy as jnp
import numpy as np
import pytest

from corundum.storage.checkpoints import Checkpoint, CheckpointFolder, fingerprint, fingerprints

ARRAYS = {"draws": np.arange(6.0).reshape(2, 3), "status": np.array([0, 1], np.int32), "words": np.array("converged")}


def test_arrays_come_back_bit_for_bit(tmp_path):
    checkpoint = Checkpoint(tmp_path / "chains.npz")
    assert checkpoint.load() is None
    checkpoint.save(ARRAYS, {"data": "a"})
    kept = checkpoint.load({"data": "a"})
    assert set(kept) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert kept[name].dtype == array.dtype and kept[name].tobytes() == array.tobytes()


def test_a_checkpoint_of_other_inputs_is_refused_by_their_names(tmp_path):
    checkpoint = Checkpoint(tmp_path / "chains.npz")
    checkpoint.save(ARRAYS, fingerprints({"data": np.zeros(2), "model": np.ones(2), "sampler": 3}))
    with pytest.raises(
        ValueError, match=r"chains.npz: belongs to a different run; what differs: model, sampler; start"
    ):
        checkpoint.load(fingerprints({"data": np.zeros(2), "model": np.ones(3), "sampler": 4}))


def test_a_damaged_checkpoint_is_refused(tmp_path):
    path = tmp_path / "chains.npz"
    for content in (b"", b"PK not whole"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="chains.npz: is damaged; remove it to start this part again"):
            Checkpoint(path).load()
    np.savez(path, draws=np.zeros(3))  # a file that no checkpoint has written
    with pytest.raises(ValueError, match="is damaged"):
        Checkpoint(path).load()


def test_a_full_disk_leaves_what_was_kept_before(tmp_path, monkeypatch):
    checkpoint = Checkpoint(tmp_path / "chains.npz")
    checkpoint.save({"done": np.int64(1)})

    def full(file, **arrays):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="disk"):
        checkpoint.save({"done": np.int64(2)})
    assert int(checkpoint.load()["done"]) == 1 and len(list(tmp_path.iterdir())) == 1


def test_a_changed_byte_is_refused_or_says_nothing(tmp_path):
    """Such as the hour at which an entry was written; a missing entry is no whole checkpoint."""
    path = tmp_path / "chains.npz"
    checkpoint, arrays = Checkpoint(path), {f"leaf-{i}": np.arange(3.0) + i for i in range(8)}
    checkpoint.save(arrays, {"data": "first"})
    kept, refused = path.read_bytes(), 0
    places = range(0, len(kept), 3)
    for place in places:
        path.write_bytes(kept[:place] + bytes([kept[place] ^ 0xFF]) + kept[place + 1 :])
        try:
            again = checkpoint.load({"data": "first"})
        except ValueError as error:
            assert "is damaged" in str(error) or "belongs to a different run" in str(error)
            refused += 1
        else:
            assert again.keys() == arrays.keys()
            assert all(np.array_equal(again[name], arrays[name]) for name in arrays)
    assert refused > 0.5 * len(places)


def test_a_folder_keeps_parts_by_number_and_name_and_computes_damaged_ones_again(tmp_path):
    store = CheckpointFolder(tmp_path / "blocks", "study")
    for number in (10, 2):
        store.save(number, ARRAYS)
    store.save("errors x 0.5", ARRAYS, {"file": "a"})
    assert store.numbers() == [2, 10] and store.load(3) is None
    assert store.load("errors x 0.5") is None and store.load("errors x 0.5", {"file": "b"}) is None
    assert set(store.load("errors x 0.5", {"file": "a"})) == set(ARRAYS)
    assert CheckpointFolder(tmp_path / "blocks", "another study").load(2) is None
    store.part(2).path.write_bytes(b"cut short")
    with pytest.warns(UserWarning, match="block-00002.npz is damaged: this part is computed again"):
        assert store.load(2) is None


def test_fingerprints_see_structure_and_names_but_not_addresses():
    @dataclasses.dataclass
    class Law:
        function: object

    first, again = (fingerprint({"law": Law(lambda x: x)}) for _ in range(2))
    assert first == again
    assert fingerprint({"a": jnp.zeros(2)}) != fingerprint({"b": jnp.zeros(2)})
    assert fingerprint(("nuts", 3)) != fingerprint(("hmc", 3)) and fingerprint(3) != fingerprint(3.0)
