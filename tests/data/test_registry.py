"""The registry of data sets: one file adds a data set, and no other code tests for its name."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import clmle.data
from clmle import InputError
from clmle.__main__ import main
from clmle.data import (
    Dataset,
    DatasetInfo,
    dataset_info,
    dataset_names,
    find_dataset,
    load_dataset,
    register_dataset,
    registered_datasets,
)
from clmle.data import registry as registry_module
from clmle.data.registry import DATASETS, KINDS, has_identities
from clmle.presets import preset_config, preset_kind

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = re.findall(
    r"^```python\n(.*?)^```",
    (ROOT / "docs/guide/own-data-set.md").read_text(encoding="utf-8"),
    re.S | re.M,
)


@pytest.fixture
def added(tmp_path, monkeypatch):
    """The two files of the guide, found in a folder of the package."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "shapes.py").write_text(BLOCKS[0])
    (folder / "arrays.py").write_text(BLOCKS[2])
    monkeypatch.setattr(clmle.data, "__path__", [*clmle.data.__path__, str(folder)])
    monkeypatch.chdir(tmp_path)
    before = dict(DATASETS)
    registry_module._import_all.cache_clear()
    yield
    DATASETS.clear()
    DATASETS.update(before)
    for name in ("shapes", "arrays"):
        sys.modules.pop(f"clmle.data.{name}", None)
        vars(clmle.data).pop(name, None)
    registry_module._import_all.cache_clear()


def run(code):
    space = {"__name__": "guide"}
    exec(compile(code, "own-data-set.md", "exec"), space)
    return space


def test_a_file_in_the_package_adds_a_data_set(added, capsys):
    assert "shapes" in dataset_names()
    assert preset_config("quick", "softmax", "shapes").data.image_size == 16
    assert main(["data", "--list"]) == 0
    assert "Discs, squares and crosses" in capsys.readouterr().out
    assert main(["data", "shapes"]) == 0
    assert "cross" in capsys.readouterr().out


def test_the_data_set_of_the_guide_trains(added):
    assert run(BLOCKS[1])["result"]["test"]["balanced_accuracy"] > 0.4


def test_a_format_is_recognized_by_its_files(added, capsys):
    run(BLOCKS[3])
    assert "Folder of arrays" in capsys.readouterr().out
    assert dataset_info("my-arrays").name == "arrays"
    assert "arrays" not in dataset_names()
    assert main(["data", "my-arrays"]) == 0


def test_a_format_of_files_is_recognized_and_learns_whether_identities_are_wanted(tmp_path):
    file = tmp_path / "faces.pack"
    file.write_text("")
    with pytest.raises(InputError, match="is a file in no format that is read here"):
        dataset_info(str(file))
    found = []
    register_dataset(
        DatasetInfo(
            "pack", "Pack", "", lambda path, *, identities=False: found.append((path, identities)),
            recognize=lambda path: path.endswith(".pack"),
        )
    )  # fmt: skip
    try:
        load_dataset(str(file))
        load_dataset(str(file), identities=True)
    finally:
        del DATASETS["pack"]
    assert found == [(str(file), False), (str(file), True)]


@pytest.mark.parametrize("info", registered_datasets(), ids=lambda info: info.name)
def test_entries_are_complete(info):
    assert info.title
    assert info.description.endswith(".")
    assert len(info.description) < 90
    assert info.kind in KINDS
    assert "\n" not in info.description
    needed = {"seed"} if info.feature_dim else {"seed", "image_size"}
    assert needed <= set(info.options)
    assert (info.sizes != ()) == ("size" in info.options)


@pytest.mark.parametrize("name", ["digits", "solar-cells"])
def test_entries_agree_with_the_loaded_data(name):
    info = dataset_info(name)
    dataset = load_dataset(name, image_size=info.image_size)
    assert dataset.targets == info.target_names()
    assert dataset.images.shape[1:] == (info.image_size, info.image_size, info.channels)
    assert (info.kind == "attributes") == bool(dataset.attributes)
    assert info.is_ready("quick", info.image_size)


def test_the_registry_loads_no_large_package():
    code = (
        "import sys; from clmle.data import registered_datasets; registered_datasets()\n"
        "print({'torch', 'PIL', 'scipy', 'pandas', 'pyarrow', 'sklearn'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_mistakes_are_named(tmp_path):
    with pytest.raises(InputError, match="no data set, file or folder 'digitz'"):
        dataset_info("digitz")
    assert find_dataset("digitz") is None
    with pytest.raises(InputError, match="no option 'colour'"):
        load_dataset("digits", colour="red")
    with pytest.raises(InputError, match="kind of x is 'faces'"):
        register_dataset(DatasetInfo("x", "X", "X.", Dataset, kind="faces"))
    with pytest.raises(InputError, match="image_size is 4, but must be from 16 to 512"):
        load_dataset("toonfaces", image_size=4)


def test_a_folder_is_read_as_it_is_asked_for(image_folder):
    folder = str(image_folder)
    assert dataset_info(folder).kind == "label"
    assert dataset_info(folder, "identities").kind == "identities"
    assert has_identities(folder, "identity")
    assert not has_identities(folder)
    assert has_identities("toonfaces-identities")
    assert preset_kind(preset_config("quick", "clmle", folder, "identity")) == "open-set"


def names_in_comparisons(path):
    """Names of data sets that a file compares something with."""
    names = set(DATASETS) | {name.lower() for name in DATASETS}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Compare):
            words = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant)}
            yield from ((path.name, node.lineno, w) for w in words & names)


def test_no_code_compares_the_name_of_a_data_set():
    registered_datasets()
    files = [f for folder in ("clmle", "app") for f in (ROOT / folder).rglob("*.py")]
    assert len(files) > 200
    assert [found for f in files for found in names_in_comparisons(f)] == []
