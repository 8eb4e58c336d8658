"""The config of a run: frozen dataclasses from which command line and app are generated."""

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any

from clmle import renamed
from clmle.errors import InputError, quoted
from clmle.text import words

STEPS = 10**9
SEEDS = 2**63 - 1  # every generator takes these
WORDS = dict.fromkeys(("true", "yes", "on", "1"), True) | dict.fromkeys(
    ("false", "no", "off", "0"), False
)


def option(
    default: Any,
    help: str,
    choices: tuple[Any, ...] = (),
    bounds: tuple[float, float] | None = None,
    above: bool = False,
    group: str = "",
    expert: bool = False,
) -> Any:
    """Declare a dataclass field with its description, its choices or its bounds.

    Parameters
    ----------
    default : Any
        Default value.
    help : str
        One line for ``--help`` and the forms of the app.
    choices : tuple, optional
        Allowed values; empty allows any value.
    bounds : (float, float), optional
        Smallest and largest allowed value; the largest may be infinite.
    above : bool, default False
        Whether the lower bound itself is not allowed.
    group : str, optional
        Heading under which ``--help`` and the app list the option.
    expert : bool, default False
        Whether only ``--help-all`` and the app's expert section list the option.

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
    """Declare the option ``name`` of ``cls`` with another default, for a subclass."""
    return field(default=default, metadata=cls.__dataclass_fields__[name].metadata)  # type: ignore[attr-defined]


_optimizer, _pretraining, _machine = (
    partial(option, group=group, expert=True) for group in ("optimizer", "pretraining", "machine")
)


@dataclass(frozen=True)
class DataConfig:
    """Data set, target and imbalance of a run.

    Every field is an option of ``clmle train``; ``clmle train --help-all`` describes them.

    Examples
    --------
    >>> DataConfig(dataset="digits", imbalance="step", ratio=20.0).image_size
    40
    """

    dataset: str = option("toonfaces", "name of a data set, or path of a folder of images")
    attribute: str = option(
        "", "attribute or label to learn: one, several with commas, or all (default: the first)"
    )
    size: str = option("quick", "size of toonfaces", ("quick", "standard", "large"))
    image_size: int = option(
        40, "images are read or rendered at this width and height, in pixels", bounds=(8, 1024)
    )
    labels: str = option("", "CSV file of labels for a folder of images")
    imbalance: str = option(
        "none",
        "remove training images so that class sizes follow this profile; long-tail is that of "
        "CIFAR-10-LT",
        ("none", "exponential", "step", "long-tail", "long-tail-step", "given"),
    )
    ratio: float = option(1.0, "imbalance ratio: size of the largest class over the smallest")
    counts: str = option(
        "",
        'training images of classes, such as "cat=500;dog=20", for --imbalance given; a class of 0 '
        "is left out of training and must be merged with others",
        expert=True,
    )
    merge: str = option(
        "",
        'classes that become one after the imbalance, such as "pets=cat+dog;birds=owl+wren"',
        expert=True,
    )
    validation: str = option(
        "own",
        "validation images: those of the data set, or drawn from the training images with equal "
        "classes or with the imbalance of the training images",
        ("own", "balanced", "imbalanced"),
        expert=True,
    )
    validation_size: int = option(
        0,
        "number of drawn validation images; 0 for as many as the data set has",
        bounds=(0, STEPS),
        expert=True,
    )
    split: int = option(
        0,
        "seed of the random split (for toonfaces also of the faces); -1 takes the seed of the run",
        bounds=(-1, SEEDS), expert=True,
    )  # fmt: skip


@dataclass(frozen=True)
class TrainConfig:
    """Backbone, budget and optimizer of a run, the same for all methods that are compared.

    Every field is an option of ``clmle train``; ``clmle train --help-all`` describes them.

    Examples
    --------
    >>> TrainConfig(iterations=400).batch_size
    240
    """

    backbone: str = option(
        "small",
        "network: tiny, small, deepid2, residual, resnet18, resnet32, sphere20 or sphere64; for "
        "features linear, cosine or mlp; or a published one, such as efficientnet-lite0 or "
        "timm:resnet18",
    )
    pretrained: bool = option(
        False,
        "start from the published weights of the backbone, which also give the first clusters",
    )
    feature_dim: int = option(64, "dimension d of the embedding", bounds=(1, 65_536))
    iterations: int = option(200, "training steps, pretraining included", bounds=(1, STEPS))
    batch_size: int = option(240, "images per step", bounds=(1, 100_000))
    rounds: int = option(
        5, "rounds; each ends with validation and a refresh of the clusters", bounds=(1, STEPS)
    )
    calibration: str = option(
        "none",
        "class offsets fitted on validation images: those with the best balanced accuracy, or "
        "those of class-balanced logistic regression",
        ("none", "threshold", "balanced-logistic"),
    )
    device: str = option("auto", "auto, cpu, cuda, cuda:1, ...")
    seed: int = option(0, "seed of every random draw", bounds=(0, SEEDS))
    learning_rate: float = option(
        0.05, "initial learning rate of SGD", bounds=(0, 1000), above=True, group="optimizer"
    )
    momentum: float = _optimizer(0.9, "momentum of SGD", bounds=(0, 1))
    weight_decay: float = _optimizer(5e-4, "weight decay of SGD", bounds=(0, 1000))
    grad_clip_norm: float = _optimizer(
        0.0, "largest gradient norm of a step; a longer gradient is shortened; 0 for no limit",
        bounds=(0, math.inf),
    )  # fmt: skip
    schedule: str = _optimizer(
        "plateau", "learning rate: divided by 10 on a plateau only, or also by a cosine",
        ("plateau", "cosine"),
    )  # fmt: skip
    patience: int = _optimizer(
        3, "rounds without improvement before the learning rate is divided by 10", bounds=(1, STEPS)
    )
    max_lr_drops: int = _optimizer(
        2, "learning-rate drops; a further plateau stops the run", bounds=(0, STEPS)
    )
    augment: bool = _optimizer(True, "shift and mirror the training images at random")
    feature_noise: float = _optimizer(
        0.0,
        "augmentation of feature tables: standard deviation of the noise added in training, as a "
        "multiple of that of each feature",
        bounds=(0, math.inf),
    )
    mirror: bool = _optimizer(True, "mirror images (right for faces, wrong for digits)")
    pretrain_iterations: int = option(
        100, "steps before the first clustering (methods with clusters)", bounds=(0, STEPS),
        group="pretraining",
    )  # fmt: skip
    pretrain_method: str = _pretraining(
        "oversampling", "method of these steps",
        (
            "oversampling", "sampling-without-replacement", "class-weighting", "softmax", "moon",
            "supcon",
        ),
    )  # fmt: skip
    init_from: str = _pretraining(
        "", "start from the weights of a run (.safetensors), or cluster features (.npy) instead"
    )
    margin_trials: int = _pretraining(
        0, "steps per candidate of a short search for a1 on validation images; 0 for no search",
        bounds=(0, STEPS),
    )  # fmt: skip
    n_embedding_samples: int = _machine(
        2400, "images whose features are stored after every round", bounds=(1, STEPS)
    )
    precision: str = _machine(
        "auto", "number format of the network; auto is bfloat16 on a GPU and float32 on a CPU",
        ("auto", "float32", "bfloat16"),
    )  # fmt: skip
    threads: int = _machine(0, "CPU threads; 0 takes PyTorch's default", bounds=(0, 4096))


@dataclass(frozen=True)
class Config:
    """Config of one run.

    Parameters
    ----------
    method : str, default "clmle"
        Name of a registered method, see :func:`clmle.method_names`.
    options : dataclass, optional
        Options of the method, an instance of its ``Options``.
    data : DataConfig
        Data set, target and imbalance.
    train : TrainConfig
        Backbone, budget and optimizer.

    See Also
    --------
    clmle.preset_config : the config of a preset.

    Examples
    --------
    >>> from clmle import Config
    >>> config = Config(method="softmax")
    >>> config.train.batch_size, config.to_dict()["data"]["dataset"]
    (240, 'toonfaces')
    """

    method: str = "clmle"
    options: Any = None
    data: DataConfig = field(default_factory=DataConfig)
    train: TrainConfig = field(default_factory=TrainConfig)

    def to_dict(self) -> dict[str, Any]:
        """Return the config as nested dicts of plain values, as config.json holds it."""
        return dataclasses.asdict(self)


PARTS = ("options", "train", "data")


def several(attribute: str) -> list[str] | None:
    """Split names of attributes at commas: [] for "all", None for a single attribute."""
    if attribute == "all":
        return []
    if "," not in attribute:
        return None
    return words(attribute)


def flat(tree: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Flatten a config tree to its leaves by dotted names.

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


def leaf(tree: Mapping[str, Any], name: str) -> Any:
    """Return the leaf of a config tree with a dotted name; None if there is none.

    >>> leaf({"method": "clmle", "train": {"seed": 0}}, "train.seed")
    0
    """
    found: Any = tree
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return None if isinstance(found, Mapping) else found


def differences(trees: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the options in which config trees differ."""
    leaves = {tree: flat(values) for tree, values in trees.items()}
    found = {}
    for name in dict.fromkeys(leaf for flattened in leaves.values() for leaf in flattened):
        values = {tree: flattened.get(name) for tree, flattened in leaves.items()}
        if len({repr(value) for value in values.values()}) > 1:
            found[name] = values
    return found


def parse(cls: type, values: Mapping[str, Any], where: str) -> Any:
    """Build dataclass ``cls`` from ``values``, each converted and checked."""
    if not isinstance(values, Mapping):
        raise InputError(f"{where} is {quoted(values)}, but must hold options by name.")
    hints = typing.get_type_hints(cls)
    known = {f.name: f for f in fields(cls)}
    result = {}
    for name, value in values.items():
        if name not in known:
            new = renamed.field(name) if isinstance(name, str) else None
            if new:
                raise InputError(f"{where}: {name} is now {new}.")
            raise InputError(
                f"{where} has no option {quoted(name)}; its options are: {', '.join(known)}."
            )
        converted = _convert(hints[name], value, f"{where}: {name}")
        converted = renamed.STORED.get((name, converted), converted)
        choices = known[name].metadata.get("choices", ())
        if choices and converted not in choices:
            if str(value) in renamed.VALUES:
                raise InputError(f"{where}: {name}={value} is now {renamed.VALUES[str(value)]}.")
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
    """Return a config dataclass with some values replaced, each converted and checked."""
    parsed = parse(type(config), values, where)
    return replace(config, **{name: getattr(parsed, name) for name in values})


def changed(config: Config, tree: Mapping[str, Any]) -> Config:
    """Return a config with other values in its parts, each converted and checked."""
    for part in PARTS:
        if part in tree:
            where = config.method if part == "options" else part
            new = override(getattr(config, part), tree[part], where)
            config = replace(config, **{part: new})
    return config


def _convert(hint: Any, value: Any, where: str) -> Any:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        if value in (None, "none", "None", ""):
            return None
        hint = next(a for a in typing.get_args(hint) if a is not type(None))
    if hint is str and isinstance(value, str):
        return value
    if hint is bool and str(value).lower() in WORDS:
        return WORDS[str(value).lower()]
    if hint in (int, float) and not isinstance(value, bool):
        with suppress(TypeError, ValueError, OverflowError):
            number = float(value)
            if math.isfinite(number) and number == hint(number):
                return hint(number)
    kind = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}[hint]
    raise InputError(f"{where} is {quoted(value)}, but must be {kind}.")
