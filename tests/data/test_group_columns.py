"""Columns that divide the images of a data set into groups."""

import numpy as np
import pytest

from clmle.data import Dataset, group_column, group_names
from clmle.errors import InputError

N = 12


@pytest.fixture
def scans():
    return Dataset(
        "scans",
        np.zeros((N, 4, 4, 1), dtype=np.uint8),
        np.arange(N) % 3,
        {"bright": np.array([0, 1, -1] * 4)},
        {"kind": np.arange(N) % 2},
        {"kind": ("disk", "ring")},
        {
            "file": np.array([f"a/{i}.png" for i in range(N)]),
            "site": np.array(["x", "y", ""] * 4),
            "age": np.arange(N) * 1.5,
            "pose": np.zeros((N, 2)),
        },
    )


def test_targets_and_metadata_with_repeated_values_are_columns(scans):
    assert group_names(scans) == ["bright", "kind", "site"]
    assert group_names(scans, most=2) == ["bright", "kind"]


def test_values_are_named_and_missing_ones_are_unknown(scans):
    assert group_column(scans, "kind")[:3].tolist() == ["disk", "ring", "disk"]
    assert group_column(scans, "bright")[:3].tolist() == ["not bright", "bright", "unknown"]
    assert group_column(scans, "site")[:3].tolist() == ["x", "y", "unknown"]


def test_numbers_are_divided_into_groups_of_equal_size(scans):
    found = group_column(scans, "age", 3)
    assert np.unique(found, return_counts=True)[1].tolist() == [4, 4, 4]
    assert found[0] == "1: 0 to 4.5"
    assert found[-1] == "3: 12 to 16.5"


@pytest.mark.parametrize("written", ["a/{}.png", "{}.png", "/mnt/scans/a/{}.PNG", "{}"])
def test_a_table_is_matched_by_the_names_of_the_files(scans, tmp_path, written):
    lines = [f"{written.format(i)};{'mw'[i % 2]}" for i in reversed(range(N - 1))]
    (tmp_path / "people.csv").write_text("\n".join(["filename;sex", *lines]))
    found = group_column(scans, f"{tmp_path / 'people.csv'},sex")
    assert found.tolist() == [*("mw"[i % 2] for i in range(N - 1)), "unknown"]


def test_mistakes_are_named(scans, tmp_path):
    table = tmp_path / "people.csv"
    table.write_text("file,sex\nother.png,m\n")
    with pytest.raises(InputError, match=r"No row of .* names an image of scans"):
        group_column(scans, f"{table},sex")
    with pytest.raises(InputError, match="lacks a column 'age'; it has: file, sex"):
        group_column(scans, f"{table},age")
    with pytest.raises(InputError, match="choose one of: bright, kind, site"):
        group_column(scans, "sites")
    with pytest.raises(InputError, match="not of numbers"):
        group_column(scans, "site", 2)
    with pytest.raises(InputError, match="no column 'pose'"):
        group_column(scans, "pose")
