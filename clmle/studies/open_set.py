"""Evaluate a run on unseen identities: python -m clmle.studies.open_set RUN [TEST].

An image is represented by its features and those of its mirror image, concatenated and compared by
cosine (section 5 of the paper). Metrics, and the arrays that figures need, are stored with the run.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clmle.data.recognition.open_set import load_open_set
from clmle.data.recognition.pairs import OpenSetData
from clmle.data.registry import find_dataset, has_identities
from clmle.errors import InputError
from clmle.jobs.process import start_module
from clmle.run_folder import RunFolder
from clmle.signed_arrays import write_signed
from clmle.studies.stored import exit_code, fingerprint, read_stored, reported, reported_in

BATCH = 512  # images between two reports of progress
CURVE = 2000  # points of a ROC curve that are stored
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Recognition:
    """Metrics of a run on unseen identities, and the arrays that figures need."""

    # test, images, verification, open_set (None without distractors) and by_frequency (accuracy on
    # held-out images of known identities, by their number of training images)
    metrics: dict[str, Any]
    # first, second, same, similarity (p,) of the pairs, far and tar of their ROC curve; with
    # distractors also open_far, open_tar, ranks (of every mate among the distractors), genuine,
    # edges and impostors; counts (C,) training images of every identity
    arrays: dict[str, np.ndarray]


def evaluate_open_set(
    run: RunFolder, test: str = "", progress: Progress | None = None
) -> Recognition:
    """Evaluate a run on unseen identities, or return the stored result."""
    from clmle.training import load_model

    found = stored_recognition(run, test)
    if found is not None:
        return found
    weights = fingerprint(run)  # before loading, because a training run may replace them
    model = load_model(run)
    config = run.config()["data"]
    if len(model.image_shape) != 3:
        raise InputError(f"Run {run.name} learned from features; unseen identities are images.")
    height, width, _ = model.image_shape
    data = load_open_set(
        test or own_test(run), size=config["size"], image_size=(height, width), progress=progress
    )
    images = _like(data.images, model.image_shape)
    features = _features(model.embed, images, progress)
    metrics: dict[str, Any] = {"test": data.name, "images": len(images)}
    metrics["verification"], arrays = _pairs(data, features)
    metrics["open_set"] = None
    if data.distractors is not None:
        metrics["open_set"], more = _open_set(data, features)
        arrays |= more
    metrics["by_frequency"], arrays["counts"] = _known_identities(run, model)
    write_signed(file_of(run, test), {"metrics": np.array(json.dumps(metrics)), **arrays}, weights)
    return Recognition(metrics, arrays)


def own_test(run: RunFolder) -> str:
    """Return the test set of unseen identities of a run's own data set."""
    dataset: str = run.config()["data"]["dataset"]
    info = find_dataset(dataset)
    if info is None or info.load_open_set is None:
        raise InputError(
            f"{dataset} has no unseen identities; name a test set: a .bin file, or a folder "
            "laid out as LFW or YouTube Faces."
        )
    return dataset


def learns_identities(run: RunFolder) -> bool:
    """Return whether a run is trained on identities and can be evaluated on unseen ones."""
    data = run.config()["data"]
    return has_identities(data["dataset"], data["attribute"])


def _features(embed: Callable[..., Any], images: Any, progress: Progress | None) -> np.ndarray:
    from clmle.metrics.pair_features import pair_features

    parts = []
    for start in range(0, len(images), BATCH):
        parts.append(pair_features(np.asarray(images[start : start + BATCH]), embed))
        if progress is not None:
            progress(min(start + BATCH, len(images)), len(images))
    return np.concatenate(parts)


def _pairs(data: OpenSetData, features: np.ndarray) -> tuple[dict[str, Any], dict[str, Any]]:
    """Verification metrics of the pairs, by folds and over all."""
    from clmle.metrics.pair_features import pair_similarity, pool_templates
    from clmle.metrics.roc import FARS, allowed, roc_curve
    from clmle.metrics.verification import fold_accuracy, verification_metrics

    pairs = data.pairs
    first, second = pairs.first, pairs.second
    if data.video is not None:  # the feature of a video is the mean of its frames
        read = data.video >= 0
        features, videos = pool_templates(features[read], data.video[read])
        known = np.isin(first, videos) & np.isin(second, videos)
        if not known.all():
            raise InputError(f"{(~known).sum():,} pairs are of videos without a readable frame.")
        first, second = np.searchsorted(videos, first), np.searchsorted(videos, second)
    similarity = pair_similarity(features, first, second)
    n_impostor = int((~pairs.same).sum())
    fars = [far for far in FARS if allowed(far, n_impostor)]
    metrics = verification_metrics(similarity, pairs.same, fars=fars)
    if len(np.unique(pairs.fold)) > 1:
        metrics |= fold_accuracy(similarity, pairs.same, pairs.fold)
    far, tar, _ = roc_curve(similarity[pairs.same], similarity[~pairs.same])
    return metrics, {
        "first": pairs.first, "second": pairs.second, "same": pairs.same,
        "similarity": similarity, **_thinned("", far, tar),
    }  # fmt: skip


def _open_set(data: OpenSetData, features: np.ndarray) -> tuple[dict[str, Any], dict[str, Any]]:
    """Identification among distractors (the protocol of MegaFace)."""
    from clmle.metrics.roc import FARS, allowed
    from clmle.metrics.streaming import open_set

    probes, distractors, identities = data.probes, data.distractors, data.identities
    assert probes is not None
    assert distractors is not None
    assert identities is not None
    fars = [far for far in FARS if allowed(far, len(probes) * len(distractors))]
    found = open_set(features[probes], identities[probes], features[distractors], fars=fars)
    far, tar = found.roc
    return found.summary(), {
        **_thinned("open_", far[::-1], tar[::-1]),
        "ranks": found.ranks[found.n_distractors], "genuine": found.genuine,
        "edges": found.edges, "impostors": found.impostors,
    }  # fmt: skip


def _thinned(name: str, far: np.ndarray, tar: np.ndarray) -> dict[str, np.ndarray]:
    """At most CURVE points of a ROC curve, denser at small FAR, with both ends."""
    kept = np.arange(len(far))
    if len(far) > CURVE:
        smallest = far[far > 0].min(initial=1.0)
        targets = np.concatenate([[0], np.geomspace(smallest, 1, CURVE - 1)])
        kept = np.unique(np.searchsorted(far, targets, "right") - 1)
    return {f"{name}far": far[kept], f"{name}tar": tar[kept]}


def _known_identities(run: RunFolder, model: Any) -> tuple[list[dict[str, Any]], np.ndarray]:
    """Accuracy on held-out images of known identities, tail to head; training counts."""
    from clmle.metrics.by_frequency import accuracy_by_frequency
    from clmle.training import prepare_run

    _, task = prepare_run(run)
    counts, rows = task.class_counts("train"), task.rows("test")
    if not len(rows):
        return [], counts
    labels = task.labels[rows]
    right = np.concatenate([
        model.scores(np.asarray(task.images[part])).argmax(axis=1) == task.labels[part]
        for part in np.array_split(rows, -(-len(rows) // BATCH))
    ])  # fmt: skip
    return accuracy_by_frequency(counts, labels, right), counts


def _like(images: Any, shape: tuple[int, ...]) -> Any:
    """The images of a test set, or an InputError if their shape differs from the run's."""
    if images.shape[1:] == shape:
        return images
    raise InputError(
        f"The test images are {images.shape[1:]} (height, width, channels), but the run learned "
        f"from {shape}; align and crop them as the training images."
    )


# --- files of the run ---------------------------------------------------------------------


def file_of(run: RunFolder, test: str = "") -> Path:
    """File with the result of a test."""
    slug = re.sub(r"[^A-Za-z0-9]+", "-", test).strip("-")[-60:]
    return run.path / ("recognition" + (f"-{slug}" if slug else "") + ".npz")


def stored_recognition(run: RunFolder, test: str = "") -> Recognition | None:
    """Return the stored result of a run's present weights."""
    arrays = read_stored(run, file_of(run, test))
    if arrays is None:
        return None
    return Recognition(json.loads(str(arrays.pop("metrics"))), arrays)


def start_open_set_evaluation(run: RunFolder, test: str = "") -> subprocess.Popen[bytes]:
    """Evaluate a run on unseen identities in a background process."""
    return start_module("clmle.studies.open_set", str(run.path.resolve()), test)


def how_far(run: RunFolder, test: str = "") -> tuple[int, int]:
    """Return the progress of a running evaluation."""
    return reported(_progress_file(run, test))


def _progress_file(run: RunFolder, test: str) -> Path:
    return file_of(run, test).with_suffix(".progress")


def main(path: str, test: str = "") -> int:
    """Evaluate the run at ``path`` on unseen identities; returns the exit code."""
    with reported_in(_progress_file(RunFolder(Path(path)), test)) as report:
        return exit_code(evaluate_open_set, path, test, report)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
