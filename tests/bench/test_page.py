"""docs/benchmarks.md is generated from the stored measurements."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bench import comparison, machine
from bench.comparison import FOLDER, TEXTS, Comparison, exponent, load, save
from bench.contents import BY_NAME, measure
from bench.page import page, write_page
from clmle import InputError

ROOT = Path(__file__).resolve().parents[2]
RATES = {"product, GFLOP/s": 100.0, "bfloat16 product, GFLOP/s": 200.0, "memory, GB/s": 10.0}


@pytest.fixture
def fixed_limits(monkeypatch):
    monkeypatch.setattr(comparison, "fresh_process", lambda work, quick: RATES)


def rendered(ms):
    """A made-up record of a comparison."""
    row = {"faces": 400, "rasterize ms": ms / 2, "sum ms": ms}
    return {
        "command": "python -m bench rendering", "machine": "a machine, 2 cores, no GPU",
        "versions": "Python 3", "load": [0.1, 0.9], "seconds": 3,
        "limits": {name: [rate, 2 * rate] for name, rate in RATES.items()},
        "tables": {"": [row]},
    }  # fmt: skip


def test_the_committed_page_is_generated_from_the_committed_measurements():
    assert (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8") == page(FOLDER)


def test_every_stored_measurement_belongs_to_a_section_of_the_page():
    known = {*BY_NAME, "faults", "injections"}
    for path in FOLDER.glob("*.json"):
        assert path.name.removesuffix(".json").removesuffix(".cuda") in known


def test_missing_measurements_are_listed_for_the_cpu_and_a_gpu(tmp_path):
    text = page(tmp_path)
    assert text.count("Not measured yet: `python -m bench ") == len(BY_NAME)
    assert "Measurements on a GPU are missing" in text
    for name, one in BY_NAME.items():
        assert f"### {one.text('title')}" in text
        assert (f"- `python -m bench {name}`: " in text) == bool(one.text("gpu"))


def test_interpretations_follow_the_measured_values(tmp_path):
    save("rendering", rendered(8.0), tmp_path)
    first = page(tmp_path)
    assert "8.0 ms a face and core, 50% of it" in first
    assert "a machine, 2 cores, no GPU" in first
    assert "product 100 to 200 GFLOP/s" in first
    assert "load 0.1 before, 0.9 after" in first
    save("rendering", rendered(6.0), tmp_path)
    assert "6.0 ms a face and core" in page(tmp_path)
    assert "Not measured yet: `python -m bench rendering`" not in page(tmp_path)


def test_measurements_on_a_gpu_are_shown_after_those_of_the_cpu(tmp_path, monkeypatch):
    save("rendering", rendered(8.0), tmp_path)
    monkeypatch.setattr(comparison, "pick", lambda: torch.device("cuda"))
    save("rendering", rendered(2.0), tmp_path)
    text = page(tmp_path)
    assert text.index("8.0 ms a face") < text.index("2.0 ms a face")
    save("step", rendered(1.0), tmp_path)  # rows of another comparison
    with pytest.raises(KeyError):
        page(tmp_path)
    (tmp_path / "step.cuda.json").unlink()
    for name in BY_NAME:
        if BY_NAME[name].text("gpu"):
            path = tmp_path / f"{name}.cuda.json"
            path.write_text(json.dumps(rendered(1.0)))
            monkeypatch.setitem(BY_NAME, name, Comparison(name, BY_NAME[name].run, of="plain"))
    monkeypatch.setitem(TEXTS, "plain", {"gpu": "the same"})
    monkeypatch.setattr("bench.page.SECTIONS", {"All": tuple(BY_NAME.values())})
    assert "Measurements on a GPU are missing" not in page(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not readable JSON"),
        ("[]", "lacks 'command'"),
        (json.dumps({**rendered(1), "tables": {"": []}}), "table without rows"),
    ],
)
def test_a_damaged_measurement_is_an_error(text, message, tmp_path):
    (tmp_path / "rendering.json").write_text(text)
    with pytest.raises(InputError, match=message):
        page(tmp_path)


def test_a_failed_page_leaves_the_old_one(tmp_path):
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    out = write_page(folder)
    before = out.read_text()
    (folder / "rendering.json").write_text("{")
    with pytest.raises(InputError):
        write_page(folder)
    assert out.read_text() == before
    assert not list(tmp_path.rglob("*.part"))


def test_a_failed_write_leaves_the_old_measurement(tmp_path, monkeypatch):
    path = save("rendering", rendered(8.0), tmp_path)

    def full(*paths):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match="disk is full"):
        save("rendering", rendered(6.0), tmp_path)
    assert load(path) == rendered(8.0)
    assert [p.name for p in tmp_path.iterdir()] == ["rendering.json"]


def test_a_measurement_stores_its_conditions(fixed_limits, monkeypatch):
    one = Comparison("some", lambda quick: [{"quick": quick}])
    monkeypatch.setitem(BY_NAME, "some", one)
    record = measure("some", quick=True)
    assert record["command"] == "python -m bench some --quick"
    assert record["tables"] == {"": [{"quick": True}]}
    assert record["limits"]["memory, GB/s"] == [10.0, 10.0]
    assert len(record["load"]) == 2
    assert "torch" in record["versions"]
    assert set(record) == set(comparison.FIELDS)


def test_the_command_line_measures_one_comparison(tmp_path):
    folder = tmp_path / "benchmarks"
    command = [sys.executable, "-m", "bench", "rendering", "--quick", "--out", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "ms a face and core" in done.stdout
    record = load(folder / "rendering.json")
    assert record is not None
    assert record["tables"][""][0]["faces"] == 60
    assert (tmp_path / "benchmarks.md").exists() is False  # small cases write no page
    unknown = subprocess.run(
        [sys.executable, "-m", "bench", "nothing"], cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert unknown.returncode == 2
    assert "there is no comparison 'nothing'" in unknown.stderr


def test_the_roofline_counts_operations_and_bytes():
    a, b = torch.ones(20, 30), torch.ones(30, 40)
    operations = machine.operations(lambda: (a @ b).relu())
    flops = 2 * 20 * 30 * 40
    product, relu = operations
    assert product == (flops, 4 * (20 * 30 + 30 * 40 + 20 * 40))
    assert relu == (0, 4 * 2 * 20 * 40)
    found = machine.least_seconds(operations, RATES)
    wanted = max(flops / 100e9, product[1] / 10e9) + relu[1] / 10e9
    assert found == pytest.approx(wanted)
    assert machine.gflop(lambda: a @ b) == flops / 1e9


def test_the_exponent_of_a_power_is_found():
    assert exponent([1, 2, 4], [3, 12, 48]) == pytest.approx(2)


def test_limits_are_rates(monkeypatch):
    monkeypatch.setattr(machine, "SIDE", 64)
    monkeypatch.setattr(machine, "COPIED", 1000)
    monkeypatch.setattr(machine, "median_seconds", lambda work: 1e-3)
    found = machine.limits()
    assert found["product, GFLOP/s"] == float(f"{2 * 64**3 / 1e-3 / 1e9:.3g}")
    assert found["memory, GB/s"] == float(f"{2 * 4000 / 1e-3 / 1e9:.3g}")


def test_a_record_without_limits_is_shown(tmp_path):
    record = rendered(8.0) | {"limits": {}, "load": []}
    save("rendering", record, tmp_path)
    assert "duration, load and limits were not recorded" in page(tmp_path)
