"""A run knows its data: classes, files, labels and split are compared before they are used."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from clmle import InputError, create_run, evaluate, load_model, preset_config, train
from clmle.__main__ import main
from clmle.data import load_digits
from clmle.training.run_data import data_facts, differences
from tests.data.folder.made import deep_colors


@pytest.fixture
def photographs(tmp_path):
    rng = np.random.default_rng(0)
    for c, name in enumerate(("ant", "bee", "cat")):
        folder = tmp_path / "photos" / name
        folder.mkdir(parents=True)
        for i in range(12):
            pixels = rng.normal(60 * c + 50, 20, (16, 16, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{i}.png")
    return tmp_path / "photos"


@pytest.fixture
def trained(photographs, tmp_path):
    return short_run(tmp_path, photographs)


def short_run(tmp_path, photographs):
    config = preset_config("quick", "softmax", str(photographs))
    short = dataclasses.replace(config.train, backbone="tiny", iterations=4, rounds=1)
    data = dataclasses.replace(config.data, image_size=16)
    run = create_run(
        tmp_path / "runs", dataclasses.replace(config, data=data, train=short).to_dict()
    )
    train(run)
    return run


def again(run):
    """Forget the result, so that the run is resumed from its checkpoint."""
    (run.path / "result.json").unlink()
    train(run)


def test_unchanged_data_are_evaluated_and_resumed(trained):
    result = trained.result()["test"]
    assert evaluate(trained)["balanced_accuracy"] == result["balanced_accuracy"]
    again(trained)
    assert trained.result()["test"] == result


@pytest.mark.parametrize("use", [evaluate, again])
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda p: (p / "ant").rename(p / "zebra"), "new classes of label: zebra; missing .*: ant"),
        (lambda p: (p / "dog").mkdir() or [
            (p / "dog" / f"{i}.png").write_bytes((p / "cat" / f"{i}.png").read_bytes() + bytes([i]))
            for i in range(5)], "new classes of label: dog"),
        (lambda p: (p / "ant" / "0.png").unlink(), "35 images instead of 36"),
        (lambda p: (p / "ant" / "0.png").rename(p / "ant" / "new.png"), "other files"),
        (lambda p: Image.new("RGB", (16, 16), "white").save(p / "ant" / "0.png"), "other pixels"),
    ],
)  # fmt: skip
def test_changed_data_are_refused_and_the_change_is_named(
    trained, photographs, change, sentence, use
):
    change(photographs)
    with pytest.raises(InputError, match=sentence):
        use(trained)


def test_the_range_of_values_of_a_run_is_used_again(tmp_path):
    rng = np.random.default_rng(0)
    for c, name in enumerate(("ant", "bee")):
        for i in range(12):
            deep_colors(tmp_path / "p" / name / f"{i}.png", rng.integers(0, 4096 >> c, (16, 16, 3)))
    run = short_run(tmp_path, tmp_path / "p")
    assert run.value_range == (0, 4095)
    assert evaluate(run)["confusion"] == run.result()["test"]["confusion"]
    dark = rng.integers(0, 900, (16, 16, 3))
    deep_colors(tmp_path / "new" / "0.png", dark)
    out = tmp_path / "f.npz"
    options = ["--images", str(tmp_path / "new"), "--out", str(out)]
    assert main(["features", run.name, "--runs-dir", str(run.path.parent), *options]) == 0
    wanted = load_model(run).embed((dark / 4095 * 255).astype(np.uint8)[None])
    np.testing.assert_allclose(np.load(out)["features"], wanted, atol=1e-6)


def test_runs_of_earlier_versions_are_compared_by_their_classes(trained, photographs):
    (trained.path / "data.json").unlink()
    evaluate(trained)
    (photographs / "ant").rename(photographs / "zebra")
    with pytest.raises(InputError, match="trained on the classes ant, bee, cat"):
        evaluate(trained)


def test_facts_agree_across_small_differences_of_decoders():
    digits = load_digits()
    shifted = dataclasses.replace(digits, images=np.minimum(digits.images, 254) + np.uint8(1))
    assert differences(data_facts(digits, ""), data_facts(shifted, "")) == []
    turned = [digits.images[:, ::-1], digits.images[:, :, ::-1], digits.images.swapaxes(1, 2)]
    for images in turned:  # the mean of each is the same
        other = dataclasses.replace(digits, images=np.ascontiguousarray(images))
        (sentence,) = differences(data_facts(digits, ""), data_facts(other, ""))
        assert sentence.startswith("other pixels")
    earlier = data_facts(digits, "")
    del earlier["halves"]
    assert differences(earlier, data_facts(digits, "")) == []
    permuted = dataclasses.replace(digits, class_names={"label": tuple("1023456789")})
    assert differences(data_facts(digits, ""), data_facts(permuted, "")) == [
        "the classes of label have another order"
    ]
    moved = dataclasses.replace(digits, split=np.roll(digits.split, 1))
    assert differences(data_facts(digits, ""), data_facts(moved, "")) == ["other split"]
