"""clmle predict and clmle export: the same predictions as the model, file by file."""

import sys
import warnings
from importlib import import_module

import numpy as np
import pandas as pd
import pytest

from clmle import InputError, Model, load_model, open_run, predict, runs_dir, training
from clmle.__main__ import main
from clmle.run_folder import list_runs

TINY = ["--iterations", "8", "--pretrain-iterations", "4", "--rounds", "1", "--batch-size", "60"]


def run(capsys, *arguments):
    code = main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def photos_run(capsys, image_folder):
    """A run on a folder of images, of which one is broken."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        command = ["train", image_folder, "--image-size", "24", "--backbone", "tiny", *TINY]
        assert run(capsys, *command)[0] == 0
    return list_runs(runs_dir())[0]


def test_images_are_predicted_as_in_the_run(
    capsys, photos_run, image_folder, tmp_path, monkeypatch
):
    monkeypatch.setattr("clmle.training.prediction_inputs.BATCH", 10)  # several batches
    # The package has a function of the module's name.
    monkeypatch.setattr(import_module("clmle.training.predict"), "BATCH", 10)
    out = tmp_path / "out.csv"
    code, printed, errors = run(capsys, "predict", photos_run.name, image_folder, "--out", out)
    assert code == 0
    assert "42 predictions in" in printed
    assert "images per second" in printed
    assert "1 files cannot be read and have no prediction: cats/broken.png" in errors
    assert "notes.txt (not an image)" in errors
    frame = pd.read_csv(out)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset, _ = training.prepare_run(photos_run)
    model = load_model(photos_run)
    wanted = model.probabilities(dataset.images)
    assert frame["file"].tolist() == dataset.metadata["file"].tolist()
    names = ["probability_cats", "probability_dogs"]
    np.testing.assert_allclose(frame[names], wanted, rtol=1e-4, atol=1e-6)
    predicted = model.scores(dataset.images).argmax(axis=1)
    assert frame["predicted"].tolist() == np.array(["cats", "dogs"])[predicted].tolist()
    own = wanted[np.arange(len(predicted)), predicted]
    assert frame["probability"].to_numpy() == pytest.approx(own, rel=1e-4)
    arrays = model.classifier.arrays()
    similarity = model.embed(dataset.images) @ arrays["centroids"].T
    assert frame["cluster_1"].tolist() == similarity.argmax(axis=1).tolist()
    assert frame["cluster_1_similarity"].to_numpy() == pytest.approx(
        similarity.max(axis=1), rel=1e-4
    )
    classes = np.array(["cats", "dogs"])[arrays["classes"]]
    assert frame["cluster_2_class"].tolist() == classes[frame["cluster_2"]].tolist()


def test_without_pandas_images_are_predicted_and_other_tables_name_the_extra(
    capsys, photos_run, image_folder, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "pandas", None)  # cannot be imported
    code, printed, _ = run(
        capsys, "predict", photos_run.name, image_folder, "--out", tmp_path / "out.csv"
    )
    assert code == 0
    assert "42 predictions in" in printed
    code, _, errors = run(capsys, "features", photos_run.name, "--out", tmp_path / "f.parquet")
    assert code == 2
    assert errors.strip().endswith("needs the package pandas, which is missing: "
                                   "pip install 'clmle[features]'")  # fmt: skip


def test_an_exported_folder_and_single_images_are_predicted(
    capsys, photos_run, image_folder, tmp_path
):
    shared = tmp_path / "shared"
    code, out, _ = run(capsys, "export", photos_run.name, "--to", "folder", "--out", shared)
    assert (code, out.strip()) == (0, str(shared))
    image = image_folder / "dogs" / "000.png"
    for model in (photos_run.path, shared):
        out = tmp_path / "one.csv"
        assert run(capsys, "predict", model, image, "--out", out, "--clusters", 0)[0] == 0
        frame = pd.read_csv(out)
        assert frame["file"].tolist() == ["000.png"]
        assert not any("cluster" in name for name in frame)
    given = predict(Model.from_pretrained(shared), [image], n_clusters=0)
    assert given["probability"].to_numpy() == pytest.approx(frame["probability"], rel=1e-4)
    assert given["file"].tolist() == [str(image)]
    with pytest.warns(UserWarning, match="broken.png"):
        found = predict(shared, image_folder)
    assert len(found) == 42
    with (
        pytest.raises(InputError, match="no image could be read"),
        pytest.warns(UserWarning, match="1 files"),
    ):
        predict(shared, image_folder / "cats" / "broken.png")


def test_features_and_attributes_are_predicted(capsys, tmp_path):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, (90, 2))
    features = rng.normal(size=(90, 6)) + 3 * labels @ rng.normal(size=(2, 6))
    columns = {"young": labels[:, 0], "tall": labels[:, 1]}
    np.savez(tmp_path / "people.npz", features=features, **columns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        command = ["train", tmp_path / "people.npz", "--attribute", "young,tall", *TINY]
        assert run(capsys, *command)[0] == 0
    one = list_runs(runs_dir())[0]
    np.save(tmp_path / "new.npy", features.astype(np.float32))
    out = tmp_path / "out.csv"
    code, printed, _ = run(capsys, "predict", one.name, tmp_path / "new.npy", "--out", out)
    assert code == 0
    assert "90 predictions" in printed
    assert "rows per second" in printed
    frame = pd.read_csv(out)
    assert list(frame) == ["row", "young", "probability_young", "tall", "probability_tall"]
    wanted = load_model(one).probabilities(features.astype(np.float32))[:, :, 1]
    np.testing.assert_allclose(
        frame[["probability_young", "probability_tall"]], wanted, rtol=1e-4, atol=1e-6
    )
    scores = load_model(one).scores(features.astype(np.float32))
    np.testing.assert_array_equal(frame[["young", "tall"]], scores.argmax(axis=2))
    for source, message in ((tmp_path / "no.npy", "no.npy"), (tmp_path, "must end in")):
        code, _, errors = run(capsys, "predict", one.name, source, "--out", out)
        assert code == 2
        assert message in errors
        assert errors.strip().count("\n") == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["predict", "RUN", "SOURCE", "--out", "p.txt"], "must end in .csv"),
        (["predict", "no-run", "SOURCE", "--out", "p.csv"], "no-run"),
        (["predict", "RUN", "no-folder", "--out", "p.csv"], "no-folder"),
        (["predict", "RUN", "EMPTY", "--out", "p.csv"], "has no image"),
        (["predict", "RUN", "SOURCE", "--out", "p.csv", "--clusters", "-1"], "n_clusters"),
        (["export", "RUN", "--to", "onnx", "--out", "m.pt"], "must end in .onnx"),
        (["export", "RUN", "--to", "keras", "--out", "m"], "keras"),
    ],
)
def test_mistakes_are_one_sentence(capsys, digits, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    words = {"RUN": digits, "SOURCE": "picture.png", "EMPTY": "empty"}
    picture = np.zeros((16, 16, 3), dtype=np.uint8)
    from PIL import Image

    Image.fromarray(picture).save("picture.png")
    code, _, errors = run(capsys, *(words.get(a, a) for a in arguments))
    assert code == 2
    assert message in errors
    assert errors.strip().count("\n") == 0
    assert not (tmp_path / "p.csv").exists()


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """The folder of a run on gray images."""
    from dataclasses import replace

    from clmle import create_run, preset_config, train

    config = preset_config("quick", "softmax", "digits")
    budget = replace(config.train, backbone="tiny", iterations=2, rounds=1)
    one = create_run(tmp_path_factory.mktemp("runs"), replace(config, train=budget).to_dict())
    train(one)
    return str(one.path)


def test_color_images_are_made_gray_for_a_model_of_gray_images(digits, tmp_path):
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "one.png")
    model = load_model(open_run(*digits.rsplit("/", 1)))
    gray = pixels.mean(axis=2).round().astype(np.uint8)[None, :, :, None]
    wanted = model.probabilities(gray)[0]
    found = predict(model, tmp_path / "one.png")
    columns = [f"probability_{c}" for c in range(10)]
    np.testing.assert_allclose(found.loc[0, columns].to_numpy(dtype=float), wanted, rtol=1e-6)
