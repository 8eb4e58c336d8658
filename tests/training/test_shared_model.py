"""A model that leaves the run: the same predictions from its folder, nothing unpickled."""

import json
import pickle
import shutil

import numpy as np
import pytest

from clmle import InputError, Model, load_model
from clmle.training.model_folder import open_model


def images(model, n=20, seed=0):
    rng = np.random.default_rng(seed)
    if len(model.image_shape) == 3:
        return rng.integers(0, 256, (n, *model.image_shape), dtype=np.uint8)
    return rng.normal(size=(n, *model.image_shape)).astype(np.float32) * 50 + 7


@pytest.mark.parametrize("fixture", ["digits_run", "attributes_run"])
def test_a_model_predicts_the_same_from_its_folder(fixture, request, tmp_path, monkeypatch):
    run = request.getfixturevalue(fixture)
    model = load_model(run)
    model.save_pretrained(tmp_path / "here" / "shared")
    shutil.move(tmp_path / "here" / "shared", tmp_path / "elsewhere")

    def refuse(*args, **kwargs):
        raise AssertionError("unpickled")

    monkeypatch.setattr(pickle, "Unpickler", refuse)
    monkeypatch.setattr(pickle, "load", refuse)
    monkeypatch.setattr(pickle, "loads", refuse)
    found = Model.from_pretrained(tmp_path / "elsewhere")
    rows = images(model)
    for name in ("embed", "scores", "probabilities"):
        np.testing.assert_array_equal(getattr(found, name)(rows), getattr(model, name)(rows))
    assert found.class_names == model.class_names
    assert found.attributes == model.attributes
    found.save_pretrained(tmp_path / "again")  # a model that was loaded can be shared again
    again = Model.from_pretrained(tmp_path / "again")
    np.testing.assert_array_equal(again.scores(rows), model.scores(rows))
    for file in ("README.md", "config.json"):
        assert (tmp_path / "again" / file).read_text() == (
            tmp_path / "elsewhere" / file
        ).read_text()


def test_a_model_is_printed_with_what_it_takes_and_predicts(digits_run, attributes_run):
    digits, people = (load_model(run, "cpu") for run in (digits_run, attributes_run))
    assert repr(digits).endswith(", 10 classes, images of 16 x 16 x 1, cpu)")
    (width,) = people.image_shape
    assert repr(people).endswith(f", 2 attributes, features of {width}, cpu)")


def test_names_are_those_of_the_run(digits_run, attributes_run):
    assert load_model(digits_run).class_names == tuple("0123456789")
    assert load_model(digits_run).attributes == ()
    assert load_model(attributes_run).attributes == ("young", "tall")


def test_probabilities_are_calibrated_on_validation_images(digits_run):
    from clmle import training
    from clmle.classifiers import fit_probabilities

    model, (_, task) = load_model(digits_run), training.prepare_run(digits_run)
    scores = model.scores(task.images[task.validation])
    fitted = fit_probabilities(scores, task.labels[task.validation])
    assert model.maps[0].weight == pytest.approx(fitted.weight, rel=1e-3)
    assert model.maps[0].offset == pytest.approx(fitted.offset, abs=1e-3)
    assert model.probabilities(task.images[:3]).sum(axis=1) == pytest.approx(1)


def test_the_card_states_data_counts_metrics_and_limits(digits_run, attributes_run, tmp_path):
    load_model(digits_run).save_pretrained(tmp_path / "digits")
    card = (tmp_path / "digits" / "README.md").read_text()
    result = digits_run.result()
    low, high = result["test"]["interval"]
    accuracy = result["test"]["balanced_accuracy"]
    assert f"| balanced accuracy | {accuracy:.3f} | {low:.3f} to {high:.3f} |" in card
    train, test = result["class_counts"], result["test"]["support"]
    assert f"| 0 | {train[0]} | {result['validation']['support'][0]} | {test[0]} |" in card
    for heading in ("Data", "Metrics", "Intended use", "Limits", "How to load it", "Training"):
        assert f"\n## {heading}\n" in card
    load_model(attributes_run).save_pretrained(tmp_path / "attributes")
    card = (tmp_path / "attributes" / "README.md").read_text()
    no, yes = attributes_run.result()["class_counts"][0]
    assert f"| young | {yes} of {no + yes} |" in card
    written = card + (tmp_path / "attributes" / "config.json").read_text()
    assert "people.npz" in written
    assert str(attributes_run.path.parent) not in written  # no folders of this computer


def test_a_model_is_opened_by_run_name_run_folder_or_model_folder(digits_run, tmp_path):
    load_model(digits_run).save_pretrained(tmp_path / "shared")
    rows = images(load_model(digits_run), 3)
    wanted = load_model(digits_run).scores(rows)
    for name, root in (
        (digits_run.name, digits_run.path.parent),
        (digits_run.path, None),
        (tmp_path / "shared", None),
    ):
        np.testing.assert_array_equal(open_model(name, root).scores(rows), wanted)


def test_what_is_no_model_is_one_sentence(digits_run, tmp_path):
    with pytest.raises(InputError, match="no folder of a model"):
        Model.from_pretrained(tmp_path / "nothing")
    with pytest.raises(InputError, match="There is no run"):
        open_model("nothing", tmp_path)
    load_model(digits_run).save_pretrained(tmp_path / "shared")
    config = tmp_path / "shared" / "config.json"
    tree = json.loads(config.read_text())
    for changes, message in (
        ({"format_version": 99}, "in another format"),
        ({"class_names": ["a", "b"]}, "do not fit"),
        ({"class_names": None}, "damaged"),
        ({"config": {"method": "magic"}}, "magic"),
        ({"config": tree["config"] | {"train": {"backbone": "small"}}}, "does not hold"),
    ):
        config.write_text(json.dumps(tree | changes))
        with pytest.raises(InputError, match=message):
            Model.from_pretrained(tmp_path / "shared")
    config.write_text(json.dumps(tree))
    weights = tmp_path / "shared" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(InputError, match="cannot be read as weights"):
        Model.from_pretrained(tmp_path / "shared")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text("{}")
    with pytest.raises(InputError, match="something else"):
        load_model(digits_run).save_pretrained(tmp_path / "mine")
    assert (tmp_path / "mine" / "config.json").read_text() == "{}"
