"""Probabilities of a run's validation and test images, fitted on its validation images."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from clmle.metrics.operating_points import counts_at
from clmle.studies.image_scores import SPLITS, ImageScores

if TYPE_CHECKING:
    from clmle.classifiers.probabilities import ProbabilityMap

FEW = 10  # validation images of a class
APART = 2.0  # factor between the frequencies of a class in two splits that a sentence names


@dataclass(frozen=True)
class SplitProbabilities:
    """What a run predicts for the images of one split.

    Parameters
    ----------
    indices : (n,) array
        Into the data set.
    labels, predicted : (n,) arrays
        True classes, and the run's own predictions.
    probabilities : (n, C) array
    """

    indices: np.ndarray
    labels: np.ndarray
    predicted: np.ndarray
    probabilities: np.ndarray

    def detection(self, c: int) -> tuple[np.ndarray, np.ndarray]:
        """Whether the images are of class ``c``, (n,) bool, and its probabilities (n,)."""
        return self.labels == c, self.probabilities[:, c]

    def counts(self, c: int, threshold: float | None = None) -> dict[str, Any]:
        """Counts of :func:`clmle.metrics.counts_at`; without a threshold of the predictions."""
        positive, p = self.detection(c)
        if threshold is None:
            return counts_at(positive, (self.predicted == c).astype(np.float64), 0.5)
        return counts_at(positive, p, threshold)


@dataclass(frozen=True)
class ImageProbabilities:
    """Probabilities of the images of one target, made by :func:`image_probabilities`.

    Parameters
    ----------
    target : str
    place : int
        Of the target among the attributes of a multi-label run; 0 for a single target.
    class_names : tuple of str
    class_counts : (C,) array
        Training images of every class.
    fitted : ProbabilityMap
        From scores to probabilities, for further images.
    validation, test : SplitProbabilities
    warnings : tuple of str
        Sentences for the user: classes with few validation images, other frequencies.
    """

    target: str
    place: int
    class_names: tuple[str, ...]
    class_counts: np.ndarray
    fitted: "ProbabilityMap"
    validation: SplitProbabilities
    test: SplitProbabilities
    warnings: tuple[str, ...]


def image_probabilities(scores: ImageScores, target: str = "") -> ImageProbabilities:
    """Fit the probabilities of one target of a run on its validation images.

    Parameters
    ----------
    scores : ImageScores
        Of :func:`score_images` or :func:`stored_scores`.
    target : str
        An attribute of a multi-label run; by default the first.

    Returns
    -------
    ImageProbabilities

    Raises
    ------
    InputError
        If the run has no such target.
    """
    # It imports SciPy, which takes long.
    from clmle.classifiers.probabilities import fit_probabilities

    target = target or scores.attributes[0]
    a = scores.number(target)
    names = scores.class_names
    if len(scores.attributes) > 1:
        names = (f"not {target}", target)
    _, labels, own = scores.of(target, "validation")
    fitted = fit_probabilities(own, labels)

    def part(split: str) -> SplitProbabilities:
        indices, labels, own = scores.of(target, split)
        return SplitProbabilities(indices, labels, own.argmax(axis=1), fitted.probabilities(own))

    validation, test = map(part, SPLITS)
    sentences = tuple(_warnings(names, validation, test))
    counts = scores.class_counts[a]
    return ImageProbabilities(target, a, names, counts, fitted, validation, test, sentences)


def _warnings(
    names: tuple[str, ...], validation: SplitProbabilities, test: SplitProbabilities
) -> list[str]:
    n_val, n_test = (np.bincount(part.labels, minlength=len(names)) for part in (validation, test))
    found = []
    few = [f"{names[c]} ({n_val[c]})" for c in np.argsort(n_val, kind="stable") if n_val[c] < FEW]
    if few:
        more = f" and {len(few) - 3} more" if len(few) > 3 else ""
        found.append(
            f"Probabilities and thresholds are uncertain: fewer than {FEW} validation images of "
            f"{', '.join(few[:3])}{more}."
        )
    fractions = n_val / n_val.sum(), n_test / n_test.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.abs(np.log(fractions[0] / fractions[1]))
    c = int(np.nan_to_num(ratio, posinf=-1).argmax())
    if np.isfinite(ratio[c]) and ratio[c] > np.log(APART):
        found.append(
            f"{names[c]} is {100 * fractions[0][c]:.1f} % of the validation images and "
            f"{100 * fractions[1][c]:.1f} % of the test images: probabilities and thresholds fit "
            "the frequencies of the validation images."
        )
    return found
