"""Arrays that can be made again: they are read as they were written, or not at all."""

import numpy as np
import pytest

from clmle import create_run, preset_config
from clmle.projection import load_projection, project_run, projection_path
from clmle.signed_arrays import read_signed, write_signed

ARRAYS = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3), "names": np.array(["x", "yy"]),
    "one": np.array(3), "none": np.empty((0, 4)), "flags": np.array([True, False]),
}  # fmt: skip


def stored(path):
    with np.load(path) as found:
        return {name: found[name] for name in found.files}


def test_arrays_are_read_as_they_were_written(tmp_path):
    write_signed(tmp_path / "a.npz", ARRAYS, "weights")
    found = read_signed(tmp_path / "a.npz", "weights")
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
    assert read_signed(tmp_path / "a.npz", "other weights") is None
    assert read_signed(tmp_path / "b.npz", "weights") is None


CHANGES = {
    "a value": lambda a: a | {"a": a["a"] + np.eye(2, 3, dtype=np.float32)},
    "a type": lambda a: a | {"a": a["a"].astype(np.float64)},
    "a shape": lambda a: a | {"a": a["a"].reshape(3, 2)},
    "a name": lambda a: {name if name != "a" else "b": array for name, array in a.items()},
    "one more": lambda a: a | {"b": np.zeros(3)},
    "one less": lambda a: {name: array for name, array in a.items() if name != "names"},
    "no signature": lambda a: {name: array for name, array in a.items() if name != "signature"},
    "a signature of numbers": lambda a: a | {"signature": np.zeros((2, 2))},
    "odd arrays": lambda a: a | {"a": np.zeros(3, "V0"), "b": np.array(["", ""])},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_with_anything_else_does_not_count(change, tmp_path):
    write_signed(tmp_path / "a.npz", ARRAYS)
    whole = (tmp_path / "a.npz").read_bytes()
    kept = stored(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", **kept)
    assert read_signed(tmp_path / "a.npz") is not None
    changed = CHANGES[change](kept)
    np.savez(tmp_path / "a.npz", **changed)
    assert read_signed(tmp_path / "a.npz") is None
    for damaged in (b"", whole[: len(whole) // 2], bytes(len(whole))):
        (tmp_path / "a.npz").write_bytes(damaged)
        assert read_signed(tmp_path / "a.npz") is None


def test_a_changed_projection_is_made_again(tmp_path):
    run = create_run(tmp_path, preset_config("quick", "softmax", "digits").to_dict())
    rows = dict.fromkeys(("rows", "labels", "clusters", "split"), np.arange(8))
    run.write_embedding(0, features=np.eye(8, dtype=np.float32), **rows)
    project_run(run, "pca")
    whole, path = load_projection(run, "pca"), projection_path(run, "pca")
    for odd in ({"round_00": whole[0][:3]}, {"else": whole[0]}, {"round_99": whole[0]}, {}):
        np.savez(path, **odd)
        assert load_projection(run, "pca") is None
    path.write_bytes(b"")
    assert load_projection(run, "pca") is None
    project_run(run, "pca")
    np.testing.assert_array_equal(load_projection(run, "pca")[0], whole[0])
