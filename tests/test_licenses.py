"""licenses.csv names every pinned package at its version, with a license."""

import csv
from types import SimpleNamespace

import pytest

import licenses


def rows():
    with open(licenses.OUT, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_pinned_package_is_listed_with_a_license():
    listed = {(row["package"], row["version"], row["needed by"]) for row in rows()}
    assert listed == set(licenses.pins()), "run make licenses"
    stated = {row["package"]: row["license"] for row in rows()}
    assert not [name for name, text in stated.items() if text in ("", "UNKNOWN")]


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ({"License-Expression": "MIT", "License": "other"}, "MIT"),
        ({"Classifier": ["License :: OSI Approved", "License :: OSI Approved :: BSD License"]},
         "BSD License"),
        ({"License": "Apache-2.0\nand its text"}, "Apache-2.0"),
        ({"License": "A text of a license in one long line " * 9}, ""),
    ],
)  # fmt: skip
def test_the_license_is_what_the_package_states(facts, wanted):
    def get_all(name):
        return facts.get(name)

    metadata = SimpleNamespace(get=facts.get, get_all=get_all)
    assert licenses.license_of(SimpleNamespace(metadata=metadata)) == wanted
