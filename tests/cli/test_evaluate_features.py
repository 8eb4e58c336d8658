"""clmle evaluate-features: the metrics of the library, and one sentence for each mistake."""

import json

import numpy as np
import pandas as pd
import pytest

from clmle.__main__ import main
from clmle.metrics.pair_features import unit_rows
from clmle.metrics.verification import verification_metrics


def run(capsys, *arguments):
    code = main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def faces(tmp_path):
    rng = np.random.default_rng(0)
    identities = np.repeat(np.arange(12), 5)
    x = (rng.normal(size=(12, 8))[identities] + 0.5 * rng.normal(size=(60, 8))).astype(np.float32)
    np.savez(tmp_path / "f.npz", features=x, label=identities)
    np.save(tmp_path / "f.npy", x)
    (tmp_path / "names.txt").write_text("\n".join(f"person {p}" for p in identities) + "\n")
    columns = {f"f{i}": x[:, i] for i in range(8)}
    pd.DataFrame({"row": range(60), "label": identities, **columns}).to_parquet(
        tmp_path / "t.parquet"
    )
    np.save(tmp_path / "others.npy", rng.normal(size=(300, 8)).astype(np.float32))
    return tmp_path, x, identities


def test_every_kind_of_file_gives_the_metrics_of_the_library(capsys, faces):
    folder, x, identities = faces
    a, b = np.triu_indices(60, 1)
    units = unit_rows(x)
    both = np.stack([identities[a], identities[b]], axis=1)
    want = verification_metrics(
        (units @ units.T)[a, b], identities[a] == identities[b], identities=both
    )
    for arguments in (["f.npz"], ["t.parquet"], ["f.npy", "--labels", folder / "names.txt"]):
        code, out, _ = run(
            capsys,
            "evaluate-features",
            folder / arguments[0],
            *arguments[1:],
            "--out",
            folder / "o.json",
        )
        assert code == 0
        assert f"{want['auc']:.4f}" in out
        written = json.loads((folder / "o.json").read_text())
        assert written["identities"] == 12
        assert written["verification"]["auc"] == pytest.approx(want["auc"])
        tars = [row["tar"] for row in written["verification"]["tar_at_far"]]
        assert tars == [row["tar"] for row in want["tar_at_far"]]
        assert None in tars, "1,650 impostor pairs are too few for a FAR of 1e-6"
        assert "FAR 1e-06 needs at least 1,000,000" in out
    gallery = units[::5]
    probes = np.delete(np.arange(60), np.arange(0, 60, 5))
    right = ((units[probes] @ gallery.T).argmax(axis=1) == identities[probes]).mean()
    assert written["identification"]["rank_one"]["rate"] == pytest.approx(right)


def test_distractors_are_compared_and_unlabeled_images_left_out(capsys, faces):
    folder, x, identities = faces
    identities[:5] = -1
    np.savez(folder / "g.npz", features=x, label=identities)
    code, out, _ = run(
        capsys, "evaluate-features", folder / "g.npz", "--distractors", folder / "others.npy",
        "--json", "--fars", "1e-2,1e-4", "--images", 40,
    )  # fmt: skip
    assert code == 0
    result = json.loads(out)
    assert result["left_out"] == 5
    assert result["verification"]["images"] == 40
    found = result["distractors"]
    assert found["n_impostor"] == 55 * 300
    assert [row["far"] for row in found["tar_at_far"]] == [1e-2, 1e-4]
    assert [row["distractors"] for row in found["rank_one"]] == [10, 100, 300]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.npz"], "nothing.npz"),
        (["names.txt"], "must end in"),
        (["f.npy"], "--labels"),
        (["f.npy", "--labels", "others.npy"], "one label for each"),
        (["f.npz", "--labels", "nothing.txt"], "nothing.txt"),
        (["f.npz", "--fars", "many"], "--fars is many"),
        (["f.npz", "--fars", "2"], "between 0 and 1"),
        (["f.npz", "--images", "1"], "--images is 1"),
        (["f.npz", "--distractors", "narrow.npy"], "as the probes|must be"),
        (["damaged.npz"], "damaged.npz"),
        (["damaged.parquet"], "damaged.parquet"),
        (["pickled.npy", "--labels", "names.txt"], "pickled.npy"),
        (["unlabeled.npz"], "all are -1"),
        (["one.npz"], "no pair of two identities"),
        (["columns.npz"], "has the columns age, place; name that of identities identity"),
        (["nan.npz"], "Row 4 of"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_2(capsys, faces, arguments, message):
    folder, x, identities = faces
    np.save(folder / "narrow.npy", np.ones((4, 3)))
    (folder / "damaged.npz").write_bytes(b"PK\x03\x04 broken")
    (folder / "damaged.parquet").write_bytes(b"PAR1 broken")
    np.save(folder / "pickled.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.savez(folder / "unlabeled.npz", features=x, label=np.full(60, -1))
    np.savez(folder / "one.npz", features=x, label=np.zeros(60, dtype=int))
    np.savez(folder / "columns.npz", features=x, age=identities, place=identities)
    x[3, 2] = np.nan
    np.savez(folder / "nan.npz", features=x, label=identities)
    typed = [folder / a if "." in a else a for a in arguments]
    code, out, err = run(capsys, "evaluate-features", *typed)
    assert code == 2
    errors = [line for line in err.splitlines() if line.startswith("clmle: ")]
    assert len(errors) == 1
    assert any(part in errors[0] for part in message.split("|"))
    assert "Traceback" not in out + err


def test_unknown_labels_have_one_definition(capsys, faces):
    folder, x, identities = faces
    names = [f"person {p}" for p in identities]
    for i, word in enumerate(["", "nan", "-1", "N/A", "None", "-1.0", " "]):
        names[i] = word
    (folder / "some.txt").write_text("\ufeff" + "\n".join(names) + "\n", encoding="utf-8")
    columns = {f"f{i}": x[:, i] for i in range(8)}
    frame = pd.DataFrame({"label": [n or None for n in names], **columns})
    frame.to_parquet(folder / "words.parquet")
    numbers = np.where(np.arange(60) < 7, np.nan, identities)
    pd.DataFrame({"label": numbers, **columns}).to_csv(folder / "numbers.csv", index=False)
    texts = np.array([n.removeprefix("person ") for n in names], dtype="S")
    np.savez(folder / "texts.npz", features=x, label=texts)
    text = ["f.npy", "--labels", folder / "some.txt"]
    for arguments in (text, ["words.parquet"], ["numbers.csv"], ["texts.npz"]):
        code, out, _ = run(
            capsys, "evaluate-features", folder / arguments[0], *arguments[1:], "--json"
        )
        assert code == 0
        result = json.loads(out)
        assert (result["images"], result["identities"]) == (53, 11)
        assert result["left_out"] == 7


@pytest.mark.parametrize(
    "labels", [np.array(3), np.zeros((60, 2)), np.zeros(60, "V4"), np.zeros(9)]
)
def test_labels_of_other_shapes_and_kinds_are_a_sentence(capsys, faces, tmp_path, labels):
    np.save(tmp_path / "y.npy", labels)
    code, _, err = run(
        capsys, "evaluate-features", tmp_path / "f.npy", "--labels", tmp_path / "y.npy"
    )
    assert (code, err.count("\n")) == (2, 1), err


def test_the_identities_of_any_table_of_features_are_found(capsys, faces):
    folder, x, identities = faces
    names = np.array([f"Zoë {p}" for p in identities])
    other = np.arange(60) % 2
    lists = pd.DataFrame({"embedding": list(x), "Subject ID": names, "glasses": other})
    lists.rename(columns={"Subject ID": "subject"}).to_parquet(folder / "lists.parquet")
    np.savez(folder / "named.npz", embeddings=x, label=other, identity=names)
    np.savez(folder / "wrong.npz", features=x, identity=other)
    (folder / "list.txt").write_text("\n".join(names), encoding="cp1252")
    pd.DataFrame({"glasses": other, "person": names}).to_csv(folder / "f.csv", index=False)
    pd.DataFrame({"who": names}).to_csv(folder / "one.csv", index=False)
    for arguments in (
        ["lists.parquet"], ["named.npz"], ["f.npy"],  # with the table f.csv next to it
        ["wrong.npz", "--labels", folder / "list.txt"],
        ["wrong.npz", "--labels", folder / "one.csv"],
    ):  # fmt: skip
        code, out, err = run(
            capsys, "evaluate-features", folder / arguments[0], *arguments[1:], "--json"
        )
        assert code == 0, err
        assert json.loads(out)["identities"] == 12, arguments
