"""The table for embedding-atlas has the format of its documentation, and its command opens it."""

import io
import json
import shlex

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from clmle import InputError, load_model, training
from clmle.__main__ import main
from clmle.training import write_embedding_atlas


@pytest.fixture(scope="module")
def written(digits_run, tmp_path_factory):
    file = tmp_path_factory.mktemp("atlas") / "digits.parquet"
    command = write_embedding_atlas(digits_run, file, method="pca")
    return pq.read_table(file), command


def test_rows_are_those_of_the_embedding_with_labels_and_predictions(digits_run, written):
    table, _ = written
    stored = digits_run.embedding(load_model(digits_run).stored.facts["round"])
    _, task = training.prepare_run(digits_run)
    assert table["row"].to_pylist() == stored["rows"].tolist()
    assert table["label"].to_pylist() == list(map(str, stored["labels"]))
    scores = load_model(digits_run).scores(task.images[stored["rows"]])
    assert table["predicted"].to_pylist() == list(map(str, scores.argmax(axis=1)))
    assert table["correct"].to_pylist() == (scores.argmax(axis=1) == stored["labels"]).tolist()
    assert table["cluster"].to_pylist() == stored["clusters"].tolist()
    points = np.stack([table["projection_x"], table["projection_y"]], axis=1)
    assert np.isfinite(points).all()
    centered = stored["features"] - stored["features"].mean(axis=0)
    variances = np.linalg.svd(centered, compute_uv=False)[:2]
    np.testing.assert_allclose(np.linalg.norm(points, axis=0), variances, rtol=1e-4)


def test_neighbors_are_the_nearest_rows_by_cosine_distance(digits_run, written):
    table, _ = written
    ids = pa.list_(pa.int64())
    assert table.schema.field("neighbors").type == pa.struct(
        {"ids": ids, "distances": pa.list_(pa.float64())}
    )
    stored = digits_run.embedding(load_model(digits_run).stored.facts["round"])["features"]
    distances = 1 - stored.astype(np.float64) @ stored.T
    for row, found in enumerate(table["neighbors"].to_pylist()):
        assert found["ids"][0] == row
        assert len(set(found["ids"])) == len(found["ids"]) == 15
        np.testing.assert_allclose(found["distances"], distances[row, found["ids"]], atol=1e-5)
        assert found["distances"] == sorted(found["distances"])
        farthest = np.partition(distances[row], 14)[14]
        assert found["distances"][-1] == pytest.approx(farthest, abs=1e-5)


def test_thumbnails_are_the_images(digits_run, written):
    table, command = written
    _, task = training.prepare_run(digits_run)
    for row, image in zip(table["row"].to_pylist()[:40], table["image"].to_pylist(), strict=False):
        pixels = np.asarray(Image.open(io.BytesIO(image["bytes"])))
        np.testing.assert_array_equal(pixels, task.images[row][..., 0])
    assert command.endswith("--neighbors neighbors --image image")


def test_features_have_no_thumbnails_and_all_attributes(attributes_run, tmp_path, capsys):
    out = tmp_path / "people.parquet"
    command = ["embed", str(attributes_run.path), "--to", "embedding-atlas", "--out", str(out)]
    assert main([*command, "--method", "pca"]) == 0
    printed = capsys.readouterr().out
    assert shlex.split(printed)[:2] == ["embedding-atlas", str(out)]
    assert "--image" not in printed
    names = pq.read_schema(out).names
    assert {"young", "probability_young", "tall", "label", "neighbors"} <= set(names)
    assert "image" not in names


def test_mistakes_are_named(digits_run, tmp_path, capsys):
    with pytest.raises(InputError, match=r"must end in \.parquet"):
        write_embedding_atlas(digits_run, tmp_path / "a.csv")
    assert main(["embed", str(digits_run.path), "--to", "embedding-atlas"]) == 2
    assert "belong together" in capsys.readouterr().err


def test_embedding_atlas_opens_the_file_with_the_command(written, tmp_path):
    cli = pytest.importorskip("embedding_atlas.cli")
    table, command = written
    pq.write_table(table, tmp_path / "digits.parquet")
    arguments = [str(tmp_path / "digits.parquet"), *shlex.split(command)[2:]]
    site = tmp_path / "site"
    cli.main([*arguments, "--export-application", str(site)], standalone_mode=False)
    shown = pq.read_table(site / "data" / "dataset.parquet")
    assert shown.num_rows == table.num_rows
    props = json.loads((site / "data" / "metadata.json").read_text())["props"]["data"]
    assert props["projection"] == {"x": "projection_x", "y": "projection_y"}
    assert (props["neighbors"], props["image"]) == ("neighbors", "image")
    assert shown["image"][0].as_py() == table["image"][0].as_py()
    assert shown["pagerank"].to_numpy().sum() == pytest.approx(1, abs=1e-3)  # from the neighbors
