"""ONNX and TorchScript files give what the model gives, in another folder without clmle."""

import json
import subprocess
import sys

import numpy as np
import pytest

from clmle import InputError, export_model, load_model
from tests.training.test_shared_model import images

# In a process that cannot import clmle, such as another program.
ELSEWHERE = """
import json, sys
sys.modules["clmle"] = None
import numpy as np, onnxruntime, torch
torch.set_num_threads(1)
facts = {}
for name in sys.argv[1:]:
    rows = np.load(f"{name}.npy")
    session = onnxruntime.InferenceSession(f"{name}.onnx")
    (given,) = [i.name for i in session.get_inputs()]
    outputs = ["probabilities", "scores", "embedding"]
    extra = {"clmle": ""}
    network = torch.jit.load(f"{name}.pt", _extra_files=extra)
    onnx = [session.run(outputs, {given: rows[:n]}) for n in (1, len(rows))]
    script = [[v.numpy() for v in network(torch.from_numpy(rows[:n]))] for n in (1, len(rows))]
    for kind, (one, found) in {"onnx": onnx, "pt": script}.items():
        assert all(len(value) == 1 for value in one)
        np.savez(f"{name}.{kind}.npz", *found)
    facts[name] = [session.get_modelmeta().custom_metadata_map["clmle"], extra["clmle"].decode()]
print(json.dumps(facts))
"""


def test_exported_models_give_the_same_in_another_folder(digits_run, attributes_run, tmp_path):
    models = {"digits": load_model(digits_run, "cpu"), "people": load_model(attributes_run, "cpu")}
    rows = {name: images(model, 57) for name, model in models.items()}
    for name, model in models.items():
        export_model(model, tmp_path / f"{name}.onnx", "onnx")
        export_model(model, tmp_path / f"{name}.pt", "torchscript")
        np.save(tmp_path / f"{name}.npy", rows[name])
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, *models],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    for name, model in models.items():
        wanted = (
            model.probabilities(rows[name]),
            model.scores(rows[name]),
            model.embed(rows[name]),
        )
        for kind in ("onnx", "pt"):
            found = np.load(tmp_path / f"{name}.{kind}.npz")
            for key, value in zip(found.files, wanted, strict=True):
                assert found[key].shape == value.shape
                np.testing.assert_allclose(found[key], value, atol=1e-4)
        for stated in map(json.loads, facts[name]):
            assert stated["class_names"] == list(model.class_names)
            assert stated["attributes"] == list(model.attributes)
            expected = "images" if name == "digits" else "features"
            assert stated["input"]["kind"] == expected


def test_mistakes_are_one_sentence(digits_run, tmp_path, monkeypatch):
    model = load_model(digits_run, "cpu")
    with pytest.raises(InputError, match=r"must end in \.onnx"):
        export_model(model, tmp_path / "m.pb", "onnx")
    with pytest.raises(InputError, match="choose one of: onnx, torchscript, folder"):
        export_model(model, tmp_path / "m", "keras")
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(InputError, match=r"pip install 'clmle\[export\]'"):
        export_model(model, tmp_path / "m.onnx", "onnx")
    assert list(tmp_path.iterdir()) == []
