"""Any dictionary and any config file gives a Config or a one-sentence InputError."""
# ruff: noqa: PT017  (an error is allowed, not required)

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clmle import InputError
from clmle.cli.parser import merge, read_config
from clmle.config import Config, DataConfig, TrainConfig
from clmle.training import config_from_dict
from tests.robustness.public_calls import FUZZ

LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=3), st.integers()),
)  # fmt: skip
NAMES = st.sampled_from(["iterations", "seed", "rounds", "ratio", "size", "scale", "prior", "none"])
TREES = st.dictionaries(
    st.sampled_from(["method", "options", "data", "train", "other"]),
    st.one_of(LEAVES, st.dictionaries(NAMES, LEAVES, max_size=3)),
)


def config_of_file(folder, name, content):
    file = folder / name
    file.write_bytes(content)
    tree = read_config(str(file))
    return merge(config_from_dict({}), tree), config_from_dict(tree)


@FUZZ
@given(TREES)
def test_any_dictionary_gives_a_config_or_an_input_error(tree):
    for make in (config_from_dict, lambda t: merge(config_from_dict({}), t)):
        try:
            made = make(tree)
        except InputError as error:
            assert len(str(error)) > 20
        else:
            assert isinstance(made, Config)
            assert isinstance(made.train, TrainConfig)
            assert isinstance(made.data, DataConfig)


@pytest.mark.parametrize("name", ["c.toml", "c.json"])
@FUZZ
@given(data=st.data())
def test_any_file_gives_a_config_or_an_input_error(name, data, tmp_path):
    whole_file = json.dumps({"train": {"seed": 1}, "data": {"ratio": 2.0}}).encode()
    if name == "c.toml":
        whole_file = b'method = "softmax"\n[train]\nseed = 1\n[data]\nratio = 2.0\n'
    garbage = st.binary(max_size=40)
    cut = st.integers(0, len(whole_file)).map(lambda n: whole_file[:n])
    trees = TREES.map(lambda t: json.dumps(t).encode())
    content = data.draw(st.one_of(garbage, cut, trees))
    try:
        config_of_file(tmp_path, name, content)
    except InputError as error:
        assert len(str(error)) > 20
