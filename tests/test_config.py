"""Configs are converted and checked; errors name the option."""

import dataclasses

import pytest

from clmle import InputError
from clmle.config import DataConfig, TrainConfig, override, parse
from clmle.methods import get_method, method_names
from clmle.presets import PRESETS, preset_config
from clmle.training import config_from_dict


@pytest.mark.parametrize("preset", list(PRESETS))
@pytest.mark.parametrize("method", method_names())
def test_a_config_read_from_its_file_is_equal(preset, method):
    config = preset_config(preset, method, "digits")
    assert config_from_dict(config.to_dict()) == config


def test_text_is_converted_to_the_type_of_the_field():
    changed = override(TrainConfig(), {"iterations": "30", "augment": "no"}, "train")
    assert (changed.iterations, changed.augment) == (30, False)
    options = override(get_method("clmle").Options(), {"between_margin": "none"}, "clmle")
    assert options.between_margin is None


@pytest.mark.parametrize(
    ("cls", "values", "message"),
    [
        (TrainConfig, {"iterations": "many"}, "whole number"),
        (TrainConfig, {"iterations": 1.5}, "whole number"),
        (TrainConfig, {"learning_rate": float("nan")}, "number"),
        (TrainConfig, {"augment": "perhaps"}, "true or false"),
        (TrainConfig, {"speed": 1}, "speed"),
        (DataConfig, {"size": "gigantic"}, "quick, standard, large"),
    ],
)
def test_invalid_values_are_named(cls, values, message):
    with pytest.raises(InputError, match=message):
        parse(cls, values, "here")


@pytest.mark.parametrize("method", method_names())
def test_options_of_a_method_share_no_name_with_other_options(method):
    # Both become flags of one command.
    own = {f.name for f in dataclasses.fields(get_method(method).Options)}
    others = {f.name for c in (DataConfig, TrainConfig) for f in dataclasses.fields(c)}
    assert not own & others
