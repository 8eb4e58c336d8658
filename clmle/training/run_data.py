"""The data of a run: stored when it starts, and compared when it is resumed or evaluated."""

import hashlib
from typing import Any

import numpy as np

from clmle.config import several
from clmle.data.base import Dataset, Progress, Task
from clmle.data.multilabel import MultiTask
from clmle.errors import InputError, some
from clmle.run_folder import RunFolder
from clmle.training.prepare import config_from_dict, prepare

SAMPLE = 500  # images whose mean is stored
CLOSE = 3.0  # gray levels by which decoders of different versions may differ in that mean


def prepare_run(
    run: RunFolder, progress: Progress | None = None
) -> tuple[Dataset, Task | MultiTask]:
    """Load the data set and make the task of a run; an InputError if the data have changed."""
    config = config_from_dict(run.config())
    dataset, task = prepare(config, progress, run.value_range)
    check_data(run, dataset, config.data.attribute)
    trained = (run.result() or {}).get("class_names", list(task.class_names))
    if run.data_facts() is None and trained != list(task.class_names):
        raise InputError(
            f"Run {run.name} was trained on the classes {some(trained, 10)}, but its data have "
            f"{some(task.class_names, 10)}. Restore the data, or start a new run."
        )
    return dataset, task


def check_data(run: RunFolder, dataset: Dataset, attribute: str) -> None:
    """Raise an InputError that says how the data differ from those the run was trained on."""
    stored = run.data_facts()
    if stored is not None:
        check_facts(run, stored, data_facts(dataset, attribute))


def check_facts(run: RunFolder, stored: dict[str, Any], found: dict[str, Any]) -> None:
    """As :func:`check_data`, for two results of :func:`data_facts`."""
    try:
        changes = differences(stored, found)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"The stored facts of the data of {run.path} are damaged.") from error
    if changes:
        raise InputError(
            f"The data of run {run.name} have changed since it was trained: {'; '.join(changes)}. "
            "Restore the data, or start a new run."
        )


def data_facts(dataset: Dataset, attribute: str) -> dict[str, Any]:
    """Class names, and fingerprints of files, labels, split and pixels, as plain values."""
    names = several(attribute)
    targets = list(names or dataset.attributes) if names is not None else [attribute]
    targets = [target or dataset.targets[0] for target in targets]
    values = {target: dataset.values_of(target) for target in targets}
    gray = dataset.images.ndim == 4  # features have any scale
    rows = np.linspace(0, len(dataset) - 1, min(SAMPLE, len(dataset))).astype(np.int64)
    return {
        "dataset": dataset.name,
        "value_range": list(dataset.value_range or ()),
        "images": len(dataset),
        "class_names": {target: list(named) for target, (_, named) in values.items()},
        "files": _hash("\n".join(map(str, dataset.metadata.get("file", ()))).encode()),
        "labels": _hash(*(v.astype("<i8").tobytes() for v, _ in values.values())),
        "split": _hash(np.asarray(dataset.split).astype("<i8").tobytes()),
        "unit": 1.0 if gray else 1e-3 * float(np.abs(dataset.images[rows]).max()),
        "means": [_mean(dataset.images[i]) for i in rows],
        "halves": [[_mean(half) for half in _halves(dataset.images[i])] for i in rows],
    }


def differences(stored: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """What differs between two results of :func:`data_facts`, in words."""
    changes = []
    for target, old in stored["class_names"].items():
        new = found["class_names"].get(target, [])
        gone = [name for name in old if name not in set(new)]
        added = [name for name in new if name not in set(old)]
        if added:
            changes.append(f"new classes of {target}: {some(added, 5)}")
        if gone:
            changes.append(f"missing classes of {target}: {some(gone, 5)}")
        if old != new and not (added or gone):
            changes.append(f"the classes of {target} have another order")
    if stored["images"] != found["images"]:
        changes.append(f"{found['images']:,} images instead of {stored['images']:,}")
    elif not changes:
        changes += [
            f"other {what}" for what in ("files", "labels", "split") if stored[what] != found[what]
        ]
        close = CLOSE * stored.get("unit", 1.0)
        halves = stored.get("halves", found["halves"])  # runs of version 0.3.0 have none
        if not all(
            np.allclose(old, new, rtol=0.01, atol=close)
            for old, new in ((stored["means"], found["means"]), (halves, found["halves"]))
        ):
            changes.append("other pixels or features in files of the same names")
    return changes


def _halves(values: np.ndarray) -> list[np.ndarray]:
    """Parts whose means differ where values of the same mean are in another order.

    The upper and the left half of an image; the first half and every other one of features.
    """
    first = values[: (len(values) + 1) // 2]
    if values.ndim == 1:
        return [first, values[::2]]
    return [first, values[:, : (values.shape[1] + 1) // 2]]


def _mean(values: np.ndarray) -> float:
    return float(f"{np.mean(values):.6g}")


def _hash(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()[:16]
