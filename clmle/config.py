"""Every setting of a run, in one frozen tree: the command line and the app are made from it."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from clmle.errors import InputError, quoted

STEPS = 10**9
SEEDS = 2**63 - 1  # every generator takes these


def option(
    default: Any,
    help: str,
    choices: tuple[Any, ...] = (),
    bounds: tuple[float, float] | None = None,
    above: bool = False,
    group: str = "",
    expert: bool = False,
) -> Any:
    """A dataclass field with its one-line description, its choices or its bounds.

    Parameters
    ----------
    default : Any
        Value where none is given; it also fixes how a given value is converted.
    help : str
        One line for ``--help`` and for the form of the app.
    choices : tuple, optional
        All values that are allowed; any value where empty.
    bounds : (float, float), optional
        Smallest and largest value, both allowed; the largest may be infinite.
    above : bool, default False
        The smallest value of ``bounds`` is not allowed itself.
    group : str, optional
        Heading under which ``--help`` and the app list the option.
    expert : bool, default False
        Listed by ``--help-all`` and in the app's expert section only.

    Returns
    -------
    dataclasses.Field
    """
    metadata = {
        "help": help, "choices": choices, "bounds": bounds, "above": above, "group": group,
        "expert": expert,
    }  # fmt: skip
    return field(default=default, metadata=metadata)


def with_default(cls: type, name: str, default: Any) -> Any:
    """The option ``name`` of the dataclass ``cls``, with another default, for a subclass."""
    return field(default=default, metadata=cls.__dataclass_fields__[name].metadata)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class DataConfig:
    """Which images, which target, how imbalanced."""

    dataset: str = option(
        "toonfaces", "toonfaces, digits, solar-cells, or the path of your own folder"
    )
    attribute: str = option(
        "", "attribute or label to learn, several with commas, or all; empty takes the first"
    )
    size: str = option("quick", "size of toonfaces", ("quick", "standard", "large"))
    image_size: int = option(
        40, "images are read or rendered at this many pixels a side", bounds=(8, 1024)
    )
    labels: str = option("", "CSV file of labels for a folder of images")
    imbalance: str = option(
        "none", "thin the training classes by this profile", ("none", "exponential", "step")
    )
    ratio: float = option(1.0, "largest over smallest class after thinning")
    split: int = option(
        0,
        "which random split, of toonfaces which faces; -1: others for each seed",
        bounds=(-1, SEEDS),
    )


@dataclass(frozen=True)
class TrainConfig:
    """Backbone, budget and optimizer: the same for every method that is compared."""

    backbone: str = option(
        "small", "network: tiny, small, deepid2, residual, resnet18, sphere20 or sphere64"
    )
    feature_dim: int = option(64, "dimension d of the embedding", bounds=(1, 65_536))
    iterations: int = option(
        200, "training steps in all, those for prior features included", bounds=(1, STEPS)
    )
    batch_size: int = option(240, "images a step", bounds=(1, 100_000))
    rounds: int = option(
        5, "rounds; clusters are refreshed at the start of each", bounds=(1, STEPS)
    )
    learning_rate: float = option(
        0.05, "of stochastic gradient descent at the start", bounds=(0, 1000), above=True
    )
    momentum: float = option(0.9, "of stochastic gradient descent", bounds=(0, 1))
    weight_decay: float = option(5e-4, "of stochastic gradient descent", bounds=(0, 1000))
    grad_clip_norm: float = option(
        0.0,
        "largest gradient norm of a step; a longer gradient is shortened; 0 for no limit",
        bounds=(0, math.inf),
    )
    augment: bool = option(True, "shift the training images at random, and mirror them")
    mirror: bool = option(True, "whether mirrored images are fair: faces yes, digits no")
    schedule: str = option(
        "plateau", "learning rate: drops on a plateau only, or a cosine too", ("plateau", "cosine")
    )
    patience: int = option(
        3, "rounds without gain before the learning rate is divided by 10", bounds=(1, STEPS)
    )
    max_lr_drops: int = option(
        2, "learning-rate drops; a further plateau stops the run", bounds=(0, STEPS)
    )
    pretrain_iterations: int = option(
        100,
        "steps of class-weighted softmax before the first clustering (cluster methods)",
        bounds=(0, STEPS),
    )
    pretrain_method: str = option(
        "oversampling",
        "how prior features weigh the classes",
        ("oversampling", "sampling-without-replacement", "class-weighting", "softmax", "moon"),
    )
    init_from: str = option("", "weights of a run (.safetensors) or features (.npy) instead")
    margin_trials: int = option(
        0,
        "steps of each short trial that chooses a1 on validation data; 0 takes its share",
        bounds=(0, STEPS),
    )
    calibration: str = option(
        "none",
        "threshold tuning: offsets fitted on validation images so that all classes count equally",
        ("none", "offsets"),
    )
    n_embedding_samples: int = option(
        2400, "images whose features are kept after every round, to look at", bounds=(1, STEPS)
    )
    device: str = option("auto", "auto, cpu, cuda, cuda:1, ...")
    precision: str = option("auto", "auto is bfloat16 on a GPU", ("auto", "float32", "bfloat16"))
    threads: int = option(0, "CPU threads; 0 leaves the choice to PyTorch", bounds=(0, 4096))
    seed: int = option(0, "seed of every random draw", bounds=(0, SEEDS))


@dataclass(frozen=True)
class Config:
    """One run: data, method with its options, training."""

    method: str = "clmle"
    options: Any = None
    data: DataConfig = field(default_factory=DataConfig)
    train: TrainConfig = field(default_factory=TrainConfig)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as a run folder keeps them."""
        return dataclasses.asdict(self)


def several(attribute: str) -> list[str] | None:
    """Names of several attributes: [] for "all", those with commas between; None for one."""
    if attribute == "all":
        return []
    if "," not in attribute:
        return None
    return list(dict.fromkeys(name.strip() for name in attribute.split(",") if name.strip()))


def flat(tree: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """The leaves of a tree of settings by their whole names.

    >>> flat({"method": "clmle", "train": {"seed": 0}})
    {'method': 'clmle', 'train.seed': 0}
    """
    found: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{before}{name}.")
        else:
            found[before + name] = value
    return found


def differences(trees: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Settings in which trees (name -> tree) differ: setting -> name -> value.

    A setting that only some have, such as an option of one method, is None in the others.

    >>> differences({"a": {"train": {"seed": 0, "rounds": 4}}, "b": {"train": {"seed": 1}}})
    {'train.seed': {'a': 0, 'b': 1}, 'train.rounds': {'a': 4, 'b': None}}
    """
    leaves = {name: flat(tree) for name, tree in trees.items()}
    found = {}
    for name in dict.fromkeys(leaf for own in leaves.values() for leaf in own):
        values = {tree: own.get(name) for tree, own in leaves.items()}
        if len({repr(value) for value in values.values()}) > 1:
            found[name] = values
    return found


def parse(cls: type, values: Mapping[str, Any], where: str) -> Any:
    """Build dataclass ``cls`` from ``values``, converting and checking each one.

    Raises
    ------
    InputError
        If a name is unknown, or a value has the wrong type, is not among the choices or lies
        outside the bounds.
    """
    if not isinstance(values, Mapping):
        raise InputError(f"{where} is {quoted(values)}, but must hold settings by name.")
    hints = typing.get_type_hints(cls)
    known = {f.name: f for f in fields(cls)}
    result = {}
    for name, value in values.items():
        if name not in known:
            raise InputError(
                f"{where} has no setting {quoted(name)}; its settings are: {', '.join(known)}."
            )
        converted = _convert(hints[name], value, f"{where}: {name}")
        choices = known[name].metadata.get("choices", ())
        if choices and converted not in choices:
            names = ", ".join(map(str, choices))
            raise InputError(f"{where}: {name} is {quoted(value)}; choose one of: {names}.")
        result[name] = converted
    config = cls(**result)
    check_bounds(config)
    return config


def check_bounds(config: Any) -> None:
    """Raise an error for the first value of a dataclass that lies outside its bounds."""
    for f in fields(config):
        bounds, value = f.metadata.get("bounds"), getattr(config, f.name)
        if bounds is None or value is None:
            continue
        (low, high), above = bounds, f.metadata["above"]
        if not (low < value if above else low <= value) or not value <= high:
            if high == math.inf:
                allowed = f"above {low:,}" if above else f"{low:,} or more"
            else:
                allowed = f"above {low:,} and at most" if above else f"from {low:,} to"
                allowed += f" {high:,}"
            raise InputError(f"{f.name} is {quoted(value)}, but must be {allowed}.")


def override(config: Any, values: Mapping[str, Any], where: str) -> Any:
    """``settings`` (a dataclass) with the given ``values`` parsed and put in place."""
    parsed = parse(type(config), values, where)
    return replace(config, **{name: getattr(parsed, name) for name in values})


def _convert(hint: Any, value: Any, where: str) -> Any:
    optional = typing.get_origin(hint) in (typing.Union, types.UnionType)
    if optional:
        if value is None or value in ("none", "None", ""):
            return None
        hint = next(a for a in typing.get_args(hint) if a is not type(None))
    if hint is bool:
        if isinstance(value, bool):
            return value
        if str(value).lower() in ("true", "yes", "on", "1"):
            return True
        if str(value).lower() in ("false", "no", "off", "0"):
            return False
    elif hint is str:
        if isinstance(value, str):
            return value
    elif hint in (int, float) and not isinstance(value, bool):
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            pass
        else:
            if number == number and abs(number) != float("inf"):
                if hint is float:
                    return number
                if number == int(number):
                    return int(number)
    kind = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}[hint]
    raise InputError(f"{where} is {quoted(value)}, but must be {kind}.")
