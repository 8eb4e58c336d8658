"""Presets: three budgets, with the defaults of the method and the data set.

"quick" takes less than a minute on two cores, "standard" less than five. "reference" is the budget
of the comparisons under docs/results: 30,000 faces and the tiny backbone, about 20 s of one core.
"""

from dataclasses import replace

from clmle.config import Config, DataConfig, TrainConfig, several
from clmle.data.registry import find_dataset, has_identities
from clmle.errors import InputError

PRESETS = {
    "quick": TrainConfig(iterations=160, pretrain_iterations=40, rounds=4, schedule="cosine"),
    "standard": TrainConfig(
        iterations=800, pretrain_iterations=200, rounds=3, margin_trials=10, schedule="cosine"
    ),
    "reference": TrainConfig(
        backbone="tiny",
        iterations=400,
        pretrain_iterations=100,
        rounds=4,
        schedule="cosine",
        weight_decay=0.02,  # the best of seven for oversampling on three attributes
    ),
}
SIZES = {"reference": "standard"}  # sizes of rendered data whose name is not the preset's


def preset_config(
    preset: str = "quick",
    method: str = "clmle",
    dataset: str = "toonfaces",
    attribute: str = "",
) -> Config:
    """Configuration of a preset for a method and a data set; the budget is that of all methods.

    Parameters
    ----------
    preset : {"quick", "standard", "reference"}, default "quick"
        Budget.
    method : str, default "clmle"
        Registered name of the method, whose :meth:`Method.preset` sets its own defaults.
    dataset : str, default "toonfaces"
        Name of a data set, or path of a folder.
    attribute : str, default ""
        Attribute or label to learn; several with commas, or "all". Empty takes the first.

    Returns
    -------
    Config

    Raises
    ------
    InputError
        If there is no such preset or method.

    Examples
    --------
    >>> config = preset_config("quick", "clmle", "digits")
    >>> config.train.iterations, config.data.image_size
    (160, 16)
    """
    if preset not in PRESETS:
        raise InputError(f"There is no preset {preset!r}; choose one of: {', '.join(PRESETS)}.")
    data = DataConfig(dataset=dataset, attribute=attribute, size=SIZES.get(preset, preset))
    train = PRESETS[preset]
    info = find_dataset(dataset)
    if info is not None:
        data = replace(data, image_size=info.image_size)
        train = replace(train, mirror=info.mirror)
        if info.feature_dim is not None:
            train = replace(train, backbone="mlp")
        if several(attribute) is not None and info.grad_clip_norm:
            train = replace(train, grad_clip_norm=info.grad_clip_norm)
    from clmle.methods import get_method  # it imports PyTorch

    chosen = get_method(method)
    config = Config(method, chosen.Options(), data, train)
    return chosen.preset(config, preset_kind(config))


def preset_kind(config: Config) -> str:
    """Kind of task whose preset a configuration has."""
    data = config.data
    if several(data.attribute) is not None:
        return "multi-label"
    return "open-set" if has_identities(data.dataset, data.attribute) else "single-label"
