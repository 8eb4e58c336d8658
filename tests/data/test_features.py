"""Tables of features: every format is read alike, used as a data set, or refused in a sentence."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LogisticRegression

from clmle import create_run, evaluate, load_model, method_names, preset_config, train
from clmle.__main__ import main
from clmle.data import dataset_info, find_dataset, load_dataset
from clmle.data.features.write import columns_of, write_features
from clmle.errors import InputError
from clmle.models.feature_network import FeatureNetwork

SPLITS = np.array(["train", "validation", "test"])


@pytest.fixture
def table():
    """Features (600, 20) of three classes of different sizes, with what is known of each row."""
    rng = np.random.default_rng(0)
    label = rng.choice(3, 600, p=[0.7, 0.2, 0.1])
    features = 2 * rng.normal(size=(3, 20))[label] + rng.normal(size=(600, 20))
    columns = {
        "file": [f"a/{i}.jpg" for i in range(600)],
        "split": SPLITS[rng.choice(3, 600, p=[0.6, 0.15, 0.25])].tolist(),
        "species": np.array(["cat", "dog", "eel"])[label].tolist(),
        "young": rng.choice(["0", "1", ""], 600).tolist(),
    }
    return features.astype(np.float32), columns


@pytest.mark.parametrize("suffix", [".parquet", ".npz", ".csv", ".npy"])
def test_what_is_written_is_read_back(tmp_path, table, suffix):
    features, columns = table
    file = tmp_path / f"t{suffix}"
    write_features(file, features, columns)
    assert dataset_info(str(file)).feature_dim(str(file)) == 20
    found = load_dataset(str(file))
    np.testing.assert_allclose(found.images, features, rtol=1e-6)
    assert found.targets == ("species", "young")
    assert found.metadata["file"].tolist() == columns["file"]
    assert columns_of(found, np.arange(600)) == {
        name: columns[name] for name in ("file", "split", "species", "young")
    }


def test_a_npy_file_is_a_memory_map(tmp_path, table):
    write_features(tmp_path / "t.npy", *table)
    assert isinstance(load_dataset(str(tmp_path / "t.npy")).images, np.memmap)


def test_features_of_other_programs_are_recognized(tmp_path, table):
    features, columns = table
    frame = pd.DataFrame({"embedding": list(features), "label": columns["species"]})
    frame.to_parquet(tmp_path / "lists.parquet")
    frame = pd.DataFrame(features).rename(columns=str).assign(label=columns["species"])
    frame.to_parquet(tmp_path / "numbered.parquet")
    frame.rename(columns=lambda c: f"emb_{int(c) + 1}" if c.isdigit() else c).to_csv(
        tmp_path / "one.csv", index=False
    )
    np.savez(tmp_path / "x.npz", X=features, y=columns["species"])
    np.savez_compressed(
        tmp_path / "only.npz", resnet=features.astype(np.float64), label=columns["species"]
    )
    arrays = {}
    for split, rows in (
        ("train", slice(0, 400)),
        ("val", slice(400, 480)),
        ("test", slice(480, 600)),
    ):
        arrays |= {f"X_{split}": features[rows], f"y_{split}": np.array(columns["species"])[rows]}
    np.savez(tmp_path / "splits.npz", **arrays)
    files = ("lists.parquet", "numbered.parquet", "one.csv", "x.npz", "only.npz", "splits.npz")
    for name in files:
        found = load_dataset(str(tmp_path / name))
        np.testing.assert_allclose(found.images, features, rtol=1e-6, err_msg=name)
        values, names = found.values_of(found.targets[0])
        assert [names[v] for v in values] == columns["species"], name
    assert np.bincount(found.split).tolist() == [400, 80, 120]


def test_whole_numbers_are_features_where_there_are_many(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (60, 64))
    frame = pd.DataFrame(pixels, columns=[f"pixel{i}" for i in range(64)])
    frame.assign(label=np.arange(60) % 3).to_csv(tmp_path / "digits.csv", index=False)
    found = load_dataset(str(tmp_path / "digits.csv"))
    assert found.images.shape == (60, 64)
    assert found.targets == ("label",)


def test_a_feature_of_whole_numbers_is_kept(tmp_path, table):
    features, columns = table
    frame = pd.DataFrame(features[:, :16], columns=[f"f{i}" for i in range(16)])
    frame.assign(f3=0, f15=7, label=columns["species"]).to_csv(tmp_path / "t.csv", index=False)
    found = load_dataset(str(tmp_path / "t.csv"))
    assert found.images.shape == (600, 16)
    assert found.images[:, [3, 15]].tolist() == [[0, 7]] * 600
    assert found.targets == ("label",)


@pytest.mark.parametrize("written", ["commas at the ends", "names of rows as R writes them"])
def test_rows_with_a_cell_more_than_there_are_names_are_not_shifted(tmp_path, table, written):
    features, columns = table
    rows = [",".join([*map(str, x), y]) for x, y in zip(features, columns["species"], strict=True)]
    rows = [f"{r}," if "commas" in written else f'"{i + 1}",{r}' for i, r in enumerate(rows)]
    names = ",".join([*(f"f{i}" for i in range(20)), "label"])
    (tmp_path / "t.csv").write_text("\n".join([names, *rows]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = load_dataset(str(tmp_path / "t.csv"))
    np.testing.assert_allclose(found.images, features, rtol=1e-6)
    assert found.targets == ("label",)


@pytest.mark.parametrize(("separator", "point"), [(";", ","), (";", "."), ("\t", "."), ("\t", ",")])
def test_tables_of_spreadsheets_of_other_countries_are_read(tmp_path, table, separator, point):
    features, columns = table
    frame = pd.DataFrame(features, columns=[f"f{i}" for i in range(20)])
    file = tmp_path / ("t.tsv" if separator == "\t" else "t.csv")
    frame.assign(label=columns["species"]).to_csv(file, index=False, sep=separator, decimal=point)
    found = load_dataset(str(file))
    np.testing.assert_allclose(found.images, features, rtol=1e-6)
    assert found.targets == ("label",)


def test_files_without_features_are_not_recognized(tmp_path):
    np.savez(tmp_path / "images.npz", images=np.zeros((5, 8, 8, 3), np.uint8), labels=np.zeros(5))
    np.save(tmp_path / "image.npy", np.zeros((5, 8, 8, 3), np.uint8))
    pd.DataFrame({"a": [1.0], "b": [2.0]}).to_parquet(tmp_path / "t.parquet")
    boxes = pa.table({"box": [[1.0, 2.0]], "keypoints": [[1.0]], "label": [1]})
    pq.write_table(boxes, tmp_path / "boxes.parquet")
    (tmp_path / "t.csv").write_text("file,label\na.jpg,cat\n")
    (tmp_path / "broken.npz").write_bytes(b"PK nothing")
    for file in tmp_path.iterdir():
        info = find_dataset(str(file))
        assert info is None or info.feature_dim is None, file.name


def test_a_split_is_drawn_with_groups_and_copies_together(tmp_path, table):
    features, columns = table
    features[300:] = features[:300]
    group = (np.arange(600) % 50).astype(str).tolist()
    write_features(tmp_path / "g.npz", features, {"label": columns["species"], "Patient ID": group})
    found = load_dataset(str(tmp_path / "g.npz"))
    assert set(found.split) == {0, 1, 2}
    assert all(len(set(found.split[np.array(group) == g])) == 1 for g in set(group))
    assert (found.split[:300] == found.split[300:]).all()


@pytest.mark.parametrize(
    ("name", "labels", "sentence"),
    [
        ("t.npy", "", "t.npy has no labels; give a table or list"),
        ("t.npy", "short.csv", "2 rows of labels, but .* has 4 rows of features"),
        ("nan.npz", "", "Row 3 of .* has a feature that is not a finite number"),
        ("huge.npy", "labels.csv", "Row 2 of .* has a feature that is not a finite number of 32"),
        ("uneven.parquet", "", "lists of features of different lengths"),
        ("missing.parquet", "", "has rows without features"),
        ("alone.npz", "", "has no labels"),
        ("part.npz", "", "has y for some of its splits only"),
    ],
)
def test_unusable_files_are_refused(tmp_path, name, labels, sentence):
    x = np.arange(8.0, dtype=np.float32).reshape(4, 2)
    np.save(tmp_path / "t.npy", x)
    (tmp_path / "short.csv").write_text("label\na\nb\n")
    bad = x.copy()
    bad[2, 1] = np.nan
    np.savez(tmp_path / "nan.npz", features=bad, label=np.arange(4))
    np.save(tmp_path / "huge.npy", x * np.array([[1.0], [1e39], [1.0], [1.0]]))
    (tmp_path / "labels.csv").write_text("label\na\nb\na\nb\n")
    np.savez(tmp_path / "alone.npz", features=x)
    np.savez(tmp_path / "part.npz", X_train=x, y_train=np.arange(4), X_test=x)
    uneven = pa.table({"features": [[1.0, 2.0], [1.0]], "label": ["a", "b"]})
    pq.write_table(uneven, tmp_path / "uneven.parquet")
    missing = pa.table({"features": [[1.0, 2.0], None], "label": ["a", "b"]})
    pq.write_table(missing, tmp_path / "missing.parquet")
    options = {"labels": str(tmp_path / labels)} if labels else {}
    with pytest.raises(InputError, match=sentence):
        load_dataset(str(tmp_path / name), **options)


def test_labels_may_be_an_array_or_a_list(tmp_path, table):
    features, columns = table
    np.save(tmp_path / "t.npy", features)
    np.save(tmp_path / "y.npy", np.array(columns["species"]))
    (tmp_path / "y.txt").write_text("\n".join(columns["species"]))
    for name in ("y.npy", "y.txt"):
        found = load_dataset(str(tmp_path / "t.npy"), labels=str(tmp_path / name))
        assert found.class_names == {"label": ("cat", "dog", "eel")}


@pytest.mark.parametrize("kind", [">f4", ">f8", np.longdouble])
def test_features_of_other_byte_orders_and_sizes_train_and_predict_alike(tmp_path, table, kind):
    features, columns = table
    write_features(tmp_path / "t.npz", features, columns)
    write_features(tmp_path / "u.npy", features, columns)
    np.save(tmp_path / "u.npy", features.astype(kind))
    found = []
    for name in ("t.npz", "u.npy"):
        run = create_run(tmp_path / name[0], short(tmp_path / name, iterations=20).to_dict())
        train(run)
        found.append(load_model(run).scores(features.astype(kind)))
    np.testing.assert_allclose(*found, rtol=1e-5)
    rows, out = str(tmp_path / "u.npy"), str(tmp_path / "p.csv")
    assert main(["predict", str(run.path), rows, "--out", out]) == 0
    assert len((tmp_path / "p.csv").read_text().splitlines()) == 601


def test_standardization_is_that_of_the_training_rows():
    rng = np.random.default_rng(0)
    features = np.column_stack(
        [rng.normal(5, 0.01, 500), np.full(500, 3.0), rng.normal(0, 50, 500)]
    )
    network = FeatureNetwork(3, (1, 1), 4)
    network.standardize(features)
    found = (features - network.mean.numpy()) * network.scale.numpy()
    np.testing.assert_allclose(found.std(axis=0), [1, 0, 1], atol=1e-3)


def short(path, method="softmax", **changes):
    config = preset_config("quick", method, str(path))
    changes = {"iterations": 60, "pretrain_iterations": 10, "rounds": 2} | changes
    return replace(config, train=replace(config.train, **changes))


@pytest.mark.parametrize("backbone", ["linear", "mlp"])
@pytest.mark.parametrize("method", ["sbcl", "gpaco", "proco", "logit-adjusted-cosine"])
def test_long_tail_baselines_learn_from_features(tmp_path, table, method, backbone):
    features, columns = table
    write_features(tmp_path / "t.parquet", features, columns)
    config = short(tmp_path / "t.parquet", method, backbone=backbone, calibration="threshold")
    config = replace(config, data=replace(config.data, attribute="species"))
    assert train(create_run(tmp_path, config.to_dict()))["test"]["balanced_accuracy"] > 0.8


@pytest.mark.parametrize("backbone", ["linear", "cosine", "mlp"])
def test_heads_come_near_logistic_regression(tmp_path, table, backbone):
    features, columns = table
    write_features(tmp_path / "t.parquet", features * 1e-3 + 7, columns)
    run = create_run(tmp_path, short(tmp_path / "t.parquet", backbone=backbone).to_dict())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = run.config()
        assert config["data"]["attribute"] == ""
        config["data"]["attribute"] = "species"
        run = create_run(tmp_path, config)
        result = train(run)
    split, label = np.array(columns["split"]), np.array(columns["species"])
    peer = LogisticRegression(max_iter=500).fit(features[split == "train"], label[split == "train"])
    accuracy = peer.score(features[split == "test"], label[split == "test"])
    assert result["test"]["accuracy"] > accuracy - 0.04
    assert evaluate(run).items() <= result["test"].items()
    model = load_model(run)
    assert model.embed(np.asarray(features[:5] * 1e-3 + 7)).shape == (5, 64)
    with pytest.raises(InputError, match="features"):
        model.embed(features[:, :3])


@pytest.mark.parametrize("method", method_names())
def test_every_method_trains_on_features(tmp_path, table, method):
    features, columns = table
    columns = {"split": columns["split"], "species": columns["species"]}
    write_features(tmp_path / "t.npz", features, columns)
    config = short(tmp_path / "t.npz", method, iterations=4, pretrain_iterations=2)
    result = train(create_run(tmp_path, config.to_dict()))
    assert 0 <= result["test"]["balanced_accuracy"] <= 1


def test_several_attributes_of_features_train_together(tmp_path, table):
    features, columns = table
    columns = {**columns, "old": columns["young"][::-1]}
    write_features(tmp_path / "t.npz", features, columns)
    config = short(tmp_path / "t.npz", "clmle", iterations=8, pretrain_iterations=4).to_dict()
    config["data"]["attribute"] = "all"
    result = train(create_run(tmp_path, config))
    assert set(result["test"]["attributes"]) == {"young", "old"}


def test_backbones_must_fit_the_data(tmp_path, table):
    write_features(tmp_path / "t.npz", *table)
    with pytest.raises(InputError, match="data, which are features; choose one of: linear"):
        train(create_run(tmp_path, short(tmp_path / "t.npz", backbone="tiny").to_dict()))
    with pytest.raises(InputError, match="data, which are images; choose one of: small"):
        train(create_run(tmp_path, short("digits", backbone="mlp").to_dict()))


def test_features_are_a_data_set_of_the_command_line(tmp_path, table, capsys):
    write_features(tmp_path / "t.parquet", *table)
    path = str(tmp_path / "t.parquet")
    assert main(["data", path]) == 0
    assert "600 rows of 20 features" in capsys.readouterr().out
    few = ["--iterations", "8", "--rounds", "1"]
    assert main(["train", path, "--attribute", "species", "--method", "softmax", *few]) == 0
    assert "recall of eel" in capsys.readouterr().out
    arguments = ["sweep", "--dataset", path, "--methods", "softmax,clmle", "--seeds", "0"]
    arguments += ["--attributes", "species", "--preset", "quick", "--jobs", "1"]
    assert main([*arguments, "--set", "train.iterations=8"]) == 0


def test_changed_features_of_a_run_are_reported(tmp_path, table):
    features, columns = table
    write_features(tmp_path / "t.npz", features * 1e-3, columns)
    run = create_run(tmp_path, short(tmp_path / "t.npz", iterations=4).to_dict())
    train(run)
    for other in (features[::-1], features[:, ::-1], np.roll(features, 1, axis=1)):
        write_features(tmp_path / "t.npz", other * 1e-3, columns)
        with pytest.raises(InputError, match="other pixels or features"):
            evaluate(run)
    assert json.loads((run.path / "result.json").read_text())
