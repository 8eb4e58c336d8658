"""Tables of labels: roles of columns, file names, encodings, missing and three-valued cells."""

import pandas as pd
import pytest

from clmle import InputError
from clmle.data import load_folder
from clmle.data.folder.targets import Targets
from clmle.data.missing import MISSING, is_missing
from tests.data.folder.made import counts, picture, read

N = 24
LETTERS = "abc"


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    home = tmp_path_factory.mktemp("made") / "photos"
    return [picture(home / ("cats" if i % 3 else "dogs") / f"{i:03d}.png") for i in range(N)]


@pytest.fixture
def table(photos, tmp_path):
    """A function that reads the folder with a table of these columns."""
    home = photos[0].parents[1]

    def made(columns, encoding="utf-8", sep=",", **options):
        frame = pd.DataFrame(columns)
        text = frame.to_csv(index=options.pop("index", False), sep=sep)
        (tmp_path / "labels.csv").write_bytes(text.encode(encoding))
        return read(home, labels=tmp_path / "labels.csv", **options)

    return made


@pytest.fixture
def files(photos):
    return [str(p.relative_to(photos[0].parents[1])) for p in photos]


def cycle(*values):
    return [values[i % len(values)] for i in range(N)]


def test_three_values_are_not_two(table, files):
    plain = table({"Path": files, "mood": cycle(1, 0, -1)})
    assert plain.class_names["mood"] == ("-1", "0", "1")
    assert "three classes" in plain.warnings[0]
    chexpert = table({"Path": files, "Edema": cycle("1.0", "0.0", "-1.0", ""),
                      "Fracture": cycle("1.0", "-1.0", "")})  # fmt: skip
    assert chexpert.attributes["Edema"].tolist() == cycle(1, 0, -1, -1)
    assert chexpert.attributes["Fracture"].tolist() == cycle(1, -1, -1)
    assert sum("uncertain" in text for text in chexpert.warnings) == 2
    assert table({"Path": files, "male": cycle(1, -1)}).attributes["male"].tolist() == cycle(1, 0)
    sure = {"Edema": cycle("1", "0", "-1", ""), "male": cycle(1, -1)}
    assert table({"Path": files, **sure}).attributes["male"].tolist() == cycle(1, 0)
    assert table({"Path": files, "x": cycle(-1, 0)}).class_names["x"] == ("-1", "0")
    assert table({"Path": files, "x": cycle("n", "f")}).class_names["x"] == ("f", "n")


@pytest.mark.parametrize(
    "word",
    [
        "nan",
        "NaN",
        "N/A",
        "#N/A",
        "NULL",
        "<NA>",
        "None",
        "NaT",
        " ",
        "#N/D",
        "(null)",
        "<NaN>",
        r"\N",
    ],
)
def test_words_for_missing_values_are_unknown(table, files, word):
    dataset = table(
        {"file": files, "kind": cycle("cat", word, "dog"), "smile": cycle("1", "0", word)}
    )
    assert dataset.class_names["kind"] == ("cat", "dog")
    assert dataset.attributes["smile"].tolist() == cycle(1, 0, -1)
    assert any(word in text for text in dataset.warnings) == (word != " ")


@pytest.mark.parametrize(
    ("yes", "no", "unsure"),
    [("1", "0", "uncertain"), ("yes", "no", "Unknown"), ("TRUE", "FALSE", "maybe"), ("1", "0", "u"),
     ("present", "absent", "equivocal"), ("positive", "negative", "n/a")],
)  # fmt: skip
def test_words_for_uncertain_values_next_to_opposites_are_unknown(table, files, yes, no, unsure):
    dataset = table({"file": files, "sign": cycle(yes, no, unsure)})
    values, _ = dataset.values_of("sign")
    assert set(values[2::3].tolist()) == {-1}
    assert len(set(values.tolist())) == 3
    assert any(unsure in text and "unknown" in text for text in dataset.warnings)


@pytest.mark.parametrize(
    "values",
    [("cat", "dog", "none"), ("cat", "dog", "-999"), ("0", "1", "9"), ("20", "31", "999"),
     ("left", "right", "unknown")],
)  # fmt: skip
def test_classes_that_may_mean_an_unknown_value_are_reported(table, files, values):
    dataset = table({"file": files, "kind": cycle(*values)})
    assert set(dataset.class_names["kind"]) == set(values)
    assert any(values[2] in text and "leave them empty" in text for text in dataset.warnings)
    for usual in (("7", "8", "9"), tuple("aou"), ("80", "90", "99")):
        assert table({"file": files, "kind": cycle(*usual)}).warnings == []


def test_words_for_missing_values_are_at_least_those_of_pandas():
    from pandas._libs.parsers import STR_NA_VALUES

    assert [word for word in STR_NA_VALUES if not is_missing(word)] == []
    assert not any(map(is_missing, ("Nancy", "none of these", "0", "Na", "unknown")))
    assert "" in MISSING


def test_an_image_in_several_rows_is_one_sample(table, files):
    twice = {"file": files * 2, "label": cycle(*LETTERS) * 2}
    assert len(table(twice)) == N
    twice["label"][-1] = "other"
    with pytest.raises(InputError, match=r"in several rows with different values of label"):
        table(twice)


def test_roles_do_not_depend_on_capitals_and_punctuation(table, files):
    columns = {"Image Path": files, "Split": cycle("Train", "TEST", "val"), "Label": cycle(*"xy")}
    dataset = table(columns, index=True)
    assert dataset.targets == ("Label",)
    assert dataset.split.tolist() == cycle(0, 2, 1)
    groups = [i // 4 for i in range(N)]
    for name in ("Patient ID", "patient_id", "SUBJECT", "person-no"):
        found = table({"img_name": files, name: groups, "finding": cycle(*"xyz")})
        assert found.targets == ("finding",)
        assert len(set(zip(groups, found.split.tolist(), strict=True))) == N // 4
        assert set(found.split.tolist()) == {0, 1, 2}


def test_likely_columns_that_are_not_used_are_reported(table, files):
    videos = table({"file": files, "video": [i // 4 for i in range(N)], "y": cycle(*"xyz")})
    assert "same video" in videos.warnings[0]
    assert videos.targets[0] == "y"
    folds = table({"file": files, "fold": cycle(0, 1, 2, 3, 4), "mood": cycle(*"xyz")})
    assert "Column fold may be a split" in folds.warnings[0]
    assert folds.targets[0] == "mood"
    numbered = table({"file": files, "cv_fold": cycle(1, 2, 3), "mood": cycle(*"xyzw")})
    assert "Column cv_fold may be a split" in numbered.warnings[0]
    assert numbered.targets[0] == "mood"
    records = table({"file": files, "MRN": [i // 4 for i in range(N)], "mood": cycle(*"xyz")})
    assert "same MRN" in records.warnings[0]
    with pytest.raises(InputError, match="'a' is not known"):
        table({"file": files, "SPLIT": cycle("a", "b"), "mood": cycle(*"xyz")})


def test_other_ways_to_give_a_split(table, files):
    flag = table({"file": files, "is_training": cycle(1, 0), "y": cycle(*"ab", "c")})
    assert set(flag.split[1::2].tolist()) == {2}
    parts = {"train": cycle(1, 0, 0), "val": cycle(0, 1, 0), "test": cycle(0, 0, 1)}
    assert table({"file": files, **parts, "y": cycle(*"ab")}).split.tolist() == cycle(0, 1, 2)
    fer = table({"file": files, "Usage": cycle("Training", "PublicTest", "PrivateTest"),
                 "emotion": cycle(0, 1)})  # fmt: skip
    assert fer.split.tolist() == cycle(0, 1, 2)
    assert table({"file": files, "partition": cycle(0, 1, 2), "y": cycle(1, 0)}).split.tolist() == (
        cycle(0, 1, 2)
    )


def test_several_words_in_a_cell_are_reported(table, files):
    dataset = table({"Image Index": files, "Finding Labels": cycle("Mass", "Edema", "Edema|Mass")})
    assert "column of 0 and 1 for each" in dataset.warnings[0]


def test_groups_that_are_numbers_have_one_spelling(table, files):
    groups = [f"{i // 4}{'.0' * (i % 2)}" for i in range(N)]
    found = table({"file": files, "subject": groups, "y": cycle(*"ab")})
    assert len(set(zip([i // 4 for i in range(N)], found.split.tolist(), strict=True))) == N // 4


def test_an_index_is_no_target(table, files):
    shuffled = [(7 * i) % N for i in range(N)]
    assert table({"file": files, "number": shuffled, "kind": cycle(*"ab")}).targets == ("kind",)
    assert table({"file": files, "kind": cycle(*"ab")}, index=True).targets == ("kind",)
    with pytest.raises(InputError, match="no column of attributes or classes"):
        table({"file": files}, index=True)


@pytest.mark.parametrize(
    "spelled",
    [
        lambda f: f,
        lambda f: f"photos/{f}",
        lambda f: "photos\\" + f.replace("/", "\\").upper(),
        lambda f: "C:\\Users\\me\\photos\\" + f.replace("/", "\\"),
        lambda f: f"/home/me/set/{f}",
        lambda f: f"./{f}",
        lambda f: f"../photos/{f}",
        lambda f: f.removesuffix(".png"),
        lambda f: f.split("/")[1],
        lambda f: f.split("/")[1].removesuffix(".png"),
        lambda f: str(int(f.split("/")[1].removesuffix(".png"))),
    ],
)
def test_file_names_in_other_spellings(table, files, spelled):
    dataset = table({"image_id": [spelled(f) for f in files], "label": cycle(*"ab")})
    assert dataset.metadata["file"].tolist() == files
    assert counts(dataset).keys() == {"a", "b"}


def test_a_name_that_fits_two_files_is_an_error(tmp_path):
    for name in ("a/1.png", "a/1.jpg", "b/2.png", "c/2.png"):
        picture(tmp_path / "d" / name)
    for name in ("a/1", "2.png"):
        (tmp_path / "t.csv").write_text(f"file,label\n{name},x\n")
        with pytest.raises(InputError, match="which fits"):
            load_folder(tmp_path / "d", labels=tmp_path / "t.csv")


def test_unicode_forms_of_file_names(tmp_path):
    for i in range(6):
        picture(tmp_path / "d" / f"cafe\u0301{i}.png")
    rows = "".join(f"caf\u00e9{i}.png,{i % 2}\n" for i in range(6))
    (tmp_path / "t.csv").write_text("file,label\n" + rows, encoding="utf-8")
    assert len(read(tmp_path / "d", labels=tmp_path / "t.csv")) == 6


def test_the_file_column_is_the_one_with_files(table, files):
    others = {"name": cycle("Ann", "Bob"), "scan": files, "label": cycle(*"ab")}
    assert "column scan" in table(others).recognized
    masks = {"mask": files[1:] + files[:1], "image": files, "label": cycle(*"ab")}
    assert "column image" in table(masks).recognized


def test_numbers_as_text(table, files):
    grade = table({"file": files, "grade": cycle("1", "1.0", "2", "10", "03", "3")})
    assert grade.class_names["grade"] == ("1", "2", "3", "10")
    codes = table({"file": files, "code": cycle("007", "010", "123")})
    assert codes.class_names["code"] == ("007", "010", "123")
    large = table({"file": files, "code": cycle("12345678901234567890", "12345678901234567891")})
    assert len(large.class_names["code"]) == 2
    thousands = table({"file": files, "n": cycle("1,000", "2,000", "1,5", "0,125")}, sep=";")
    assert thousands.class_names["n"] == ("0.125", "1,000", "1.5", "2,000")
    left = table({"file": files, "label": cycle(-1, 0, 1, 2)})
    assert left.class_names["label"] == ("0", "1", "2")
    assert "-1" in left.warnings[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("sep", [",", ";", "\t"])
def test_encodings_and_separators(table, files, encoding, sep):
    dataset = table({"file": files, "label": cycle("été", "œuf")}, encoding, sep)
    assert dataset.class_names["label"] == ("été", "œuf")
    assert (dataset.warnings != []) == (encoding == "cp1252")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04" + bytes(30), "workbook"),
        (b"PAR1" + bytes(30), "Parquet"),
        (b'[{"file": "a.png"}]', "JSON"),
        (b"file,label\ndogs/000.png,a, b\n", "row 2 has 3 cells"),
        (b"file,label,label\ndogs/000.png,a,b\n", "two of its columns"),
        (b"dogs/000.png,a\ncats/001.png,b\n", "no row of column names"),
        (b'file,label\ndogs/000.png,"a\ncats/001.png,b\n', "unexpected end"),
        (b"file,label\n" + bytes(50), "NUL"),
    ],
)
def test_tables_that_cannot_be_read_are_named(photos, tmp_path, content, message):
    (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(InputError, match=message):
        load_folder(photos[0].parents[1], labels=tmp_path / "labels.csv")


def test_the_only_table_of_flat_images_is_read(tmp_path):
    for i in range(12):
        picture(tmp_path / "d" / "images" / f"{i}.png")
    rows = "".join(f"{i}.png,{LETTERS[i % 3]}\n" for i in range(12))
    (tmp_path / "d" / "data.csv").write_text("image,kind\n" + rows)
    (tmp_path / "d" / "README.txt").write_text("Twelve images.\n")
    assert counts(read(tmp_path / "d"), "kind").keys() == set(LETTERS)
    (tmp_path / "d" / "more.csv").write_text("image,kind\n" + rows)
    with pytest.raises(InputError, match="several tables"):
        read(tmp_path / "d")


def test_a_table_for_each_split(tmp_path):
    for split, numbers in (("train", range(8)), ("test", range(4))):
        lines = [f"{i}.png,{i % 2}" for i in numbers]
        for i in numbers:
            picture(tmp_path / "d" / split / f"{i}.png")
        (tmp_path / "d" / split / "metadata.csv").write_text("\n".join(["file_name,label", *lines]))
    dataset = read(tmp_path / "d")
    assert counts(dataset) == {"0": (3, 1, 2), "1": (3, 1, 2)}
    files = dataset.metadata["file"].tolist()
    assert [f.split("/")[0] for f in files] == ["test"] * 4 + ["train"] * 8
    assert (dataset.split[:4] == 2).all()


def test_a_table_comes_before_a_folder_for_each_patient(tmp_path):
    names = [f"d/patient{i}/view{j}.jpg" for i in range(12) for j in range(1)]
    for name in names:
        picture(tmp_path / name)
    lines = [f"set-1/{name.removeprefix('d/')},{i % 2}" for i, name in enumerate(names)]
    (tmp_path / "d" / "train.csv").write_text("\n".join(["Path,Edema", *lines]))
    assert read(tmp_path / "d").targets == ("Edema",)


@pytest.mark.parametrize(
    ("values", "reported"),
    [
        ([str(age) for age in range(18, 90)], True),
        ([f"{70 + i / 10}" for i in range(50)], True),
        ([str(c) for c in range(100)], False),  # numbers of classes
        ([str(c) for c in range(1, 60, 1) if c % 7], False),  # some classes have no image
        ([str(stars) for stars in range(3, 9)], False),
    ],
)
def test_a_column_of_measurements_is_reported(values, reported):
    targets = Targets({"score": values * 3})
    assert len(targets.class_names["score"]) == len(values)
    assert any("measurement" in sentence for sentence in targets.warnings) == reported
