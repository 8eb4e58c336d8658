"""The measurement of a step on a GPU runs; without a GPU, on the CPU."""

import json
import sys

from bench import gpu


def test_step_times_are_written_as_json(tmp_path, monkeypatch):
    file = tmp_path / "new" / "gpu.json"
    monkeypatch.setattr(sys, "argv", ["gpu", "--quick", "--out", str(file)])
    monkeypatch.setattr(gpu, "SINGLE", {name: gpu.SINGLE[name] for name in ("softmax", "clmle")})
    monkeypatch.setattr(gpu, "HEADS", 3)
    gpu.main()
    tables = json.loads(file.read_text("utf-8"))["tables"]
    assert [row["method"] for row in tables[""]] == ["softmax", "clmle"]
    heads = [row["method"] for row in tables["3 heads"]]
    assert heads == ["softmax", "clmle", "clmle, heads in a loop"]
    assert all(float(row["step ms"]) > 0 for rows in tables.values() for row in rows)
