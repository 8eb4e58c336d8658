"""Settings for a problem, by its class counts, each with its reason and the study behind it.

Only what a stored study shows is suggested. Where no study shows a difference, the reason says so
and the simpler setting is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from clmle.errors import InputError
from clmle.text import counted

BALANCED = 2.0  # ratio up to which the study ``imbalance`` shows no need for a correction
FEW = 50  # minority images: the solar cells have about 37
FEW_VALIDATION = 10  # validation images of a class, below which no threshold is fitted
CLUSTER_SIZE = 200
MIN_CLUSTERS = 4


@dataclass(frozen=True)
class Suggestion:
    """One setting: its value in words, why, and the study that it rests on ("" for none)."""

    setting: str
    value: str
    reason: str
    study: str = ""


@dataclass(frozen=True)
class Suggestions:
    """What the counts are, the methods to start with, their calibration, and all settings."""

    problem: str
    methods: tuple[str, ...]
    calibration: str
    settings: tuple[Suggestion, ...]


def suggest(
    counts: Sequence[int],
    validation: Sequence[int] = (),
    *,
    features: bool = False,
    attributes: int = 1,
) -> Suggestions:
    """Suggest settings for a problem.

    Parameters
    ----------
    counts : (C,) sequence of int
        Training images of each class.
    validation : (C,) sequence of int
        Validation images of each class, where they are known.
    features : bool
        Whether the network learns from stored features instead of images.
    attributes : int
        Attributes that one network learns together.

    Returns
    -------
    Suggestions

    Raises
    ------
    InputError
        If there are fewer than two classes with images.

    Examples
    --------
    >>> found = suggest([900, 90], [300, 30])
    >>> found.methods, found.calibration
    (('oversampling', 'clmle'), 'threshold')
    >>> [s.setting for s in found.settings]
    ['method', 'calibration', 'Eq. 9', 'cluster size', 'training steps']
    """
    sizes = [int(n) for n in counts if n > 0]
    if len(sizes) < 2:
        raise InputError("Settings depend on the counts of two classes or more that have images.")
    few, ratio = min(sizes), max(sizes) / min(sizes)
    problem = f"{len(sizes)} classes, {ratio:,.3g} to 1, {counted(few, 'image')} in the smallest"
    rare = min(validation, default=FEW_VALIDATION)
    methods, method = _method(few, ratio, features, attributes)
    calibration = "none" if rare < FEW_VALIDATION or ratio <= BALANCED else "threshold"
    settings = (
        method,
        _calibration(rare, ratio),
        _margin(few, features, attributes),
        _clusters(few),
        _steps(),
    )
    return Suggestions(problem, methods, calibration, settings)


def _method(
    few: int, ratio: float, features: bool, attributes: int
) -> tuple[tuple[str, ...], Suggestion]:
    names: tuple[str, ...]
    if attributes > 1:
        why = (
            "On many attributes at once, the multi-label preset of CLMLE and MOON with threshold "
            "tuning are ahead of the other methods; a difference between the two is not shown."
        )
        names, study = ("moon", "clmle"), "attributes"
    elif ratio <= BALANCED:
        why = (
            "Up to 2 to 1, softmax is within about one percentage point of every method that "
            "corrects imbalance; there is little to correct."
        )
        names, study = ("softmax",), "imbalance"
    elif features:
        why = (
            "On pretrained features, with the same tuning and calibration for all, CLMLE is among "
            "the leading methods and not shown to be better than the strongest of the others."
        )
        names, study = ("balanced-softmax", "clmle"), "tuning-features"
    elif few < FEW:
        why = (
            "On photographs with so few minority images no method is shown to be better than "
            "softmax with tuned thresholds: all intervals are wide and contain zero."
        )
        names, study = ("softmax", "clmle"), "preregistered-solar-cells"
    else:
        why = (
            "Oversampling with threshold tuning is the strongest baseline. CLMLE is ahead of it by "
            "about half a percentage point over all pre-registered tasks, and at 100 to 1 not "
            "shown to be: train both and compare, with several seeds."
        )
        names, study = ("oversampling", "clmle"), "preregistered-imbalance"
    return names, Suggestion("method", " and ".join(names), why, study)


def _calibration(rare: int, ratio: float) -> Suggestion:
    if rare < FEW_VALIDATION:
        why = (
            f"A class has {counted(rare, 'validation image')}: a threshold that is fitted to so "
            "few is noise. With 10 or more, tune thresholds."
        )
        return Suggestion("calibration", "none", why)
    if ratio <= BALANCED:
        why = "The classes have about the same size: the default threshold fits them."
        return Suggestion("calibration", "none", why, "imbalance")
    why = (
        "On faces, tuned thresholds raise the balanced accuracy of oversampling from 50 to 1 on "
        "and make no difference below. Give all methods the same calibration: otherwise it is the "
        "calibrations that are compared."
    )
    return Suggestion("calibration", "threshold", why, "imbalance")


def _margin(few: int, features: bool, attributes: int) -> Suggestion:
    default = "the default"
    if attributes > 1:
        why = (
            "In the multi-label preset Eq. 9 carries the class weights, too; without it balanced "
            "accuracy is lower. What the margin adds to the weights is not separated there."
        )
        return Suggestion("Eq. 9", default, why, "attributes")
    if features and few >= 100:
        why = (
            "On pretrained features this configuration, with a cosine head and without sampling by "
            "loss, gains about half a percentage point of balanced accuracy and more purity of "
            "the neighbors; with one cluster per class it loses both. Where noise is added to the "
            "features, no gain in balanced accuracy is shown."
        )
        value = "margin_weight 0.5, between_margin_fraction 0.5, cluster_size 50"
        return Suggestion("Eq. 9", value, why, "eq9-preregistered-features")
    if features:
        why = (
            "With so few minority rows no difference between training with and without Eq. 9 is "
            "shown."
        )
        return Suggestion("Eq. 9", default, why, "eq9-regime-features")
    why = (
        "On images its default weight makes no difference that is shown: what CLMLE gains comes "
        "from sampling, classifier and calibration. A higher weight lowers balanced accuracy "
        "where the network is trained from scratch (study eq9-preregistered-photographs)."
    )
    return Suggestion("Eq. 9", default, why, "margin-loss")


def _clusters(few: int) -> Suggestion:
    if few < MIN_CLUSTERS * CLUSTER_SIZE:
        why = (
            f"The smallest class is divided into {MIN_CLUSTERS} clusters in any case. How many "
            "there are makes no difference that the study shows."
        )
        return Suggestion("cluster size", str(CLUSTER_SIZE), why, "small-classes")
    why = (
        "Between 25 and 800 images per cluster no difference above 0.5 percentage points is shown."
    )
    return Suggestion("cluster size", str(CLUSTER_SIZE), why, "cluster-size")


def _steps() -> Suggestion:
    why = (
        "What the studies show holds for 400 steps of 240 images, the budget called reference. No "
        "study varies the number of steps alone: watch the validation curve, and take a longer "
        "budget if it still rises."
    )
    return Suggestion("training steps", "budget reference", why, "convergence")
