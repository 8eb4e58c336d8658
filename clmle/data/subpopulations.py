"""Classes merged into one, each of which remains a sub-population with its own size."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from clmle.data.base import Task
from clmle.errors import InputError, quoted, some


def parse_counts(text: str, task: Task) -> list[int]:
    """Training images of every class from "cat=500;dog=20"; other classes keep all they have.

    A class of 0 is for :func:`left_out`.
    """
    counts: list[int] = task.class_counts().tolist()
    for name, value in _pairs(text, "counts", "cat=500;dog=20"):
        c = _index(name, task, "counts")
        if not (value.isascii() and value.isdigit() and int(value) <= counts[c]):
            raise InputError(
                f"counts gives class {name!r} {value or 'no'} training images, but it has 0 to "
                f"{counts[c]:,}."
            )
        counts[c] = int(value)
    return counts


def merged(task: Task, text: str) -> Task:
    """The task with classes merged as in "pets=cat+dog;birds=owl+wren"; others stay.

    The merged classes are the task's ``subpopulations``.
    """
    new = {c: task.class_names[c] for c in range(task.n_classes)}
    taken: set[int] = set()
    for name, members in _pairs(text, "merge", "pets=cat+dog;birds=owl+wren"):
        for member in members.split("+"):
            c = _index(member.strip(), task, "merge")
            if c in taken:
                raise InputError(f"merge names class {member.strip()!r} twice; name it once.")
            taken.add(c)
            new[c] = name
    for c in range(task.n_classes):
        if c not in taken and task.class_names[c] in {new[t] for t in taken}:
            raise InputError(
                f"merge makes a class {task.class_names[c]!r}, but there is one of that name; add "
                "it to the merged classes or choose another name."
            )
    names = tuple(dict.fromkeys(new.values()))
    table = np.array([names.index(new[c]) for c in range(task.n_classes)], dtype=np.int64)
    # Unknown labels stay unknown: they are in no split.
    labels = np.where(task.labels >= 0, table[task.labels], task.labels)
    hidden = (task.labels, task.class_names)
    return replace(task, labels=labels, class_names=names, subpopulations=hidden).checked()


def left_out(task: Task, counts: Sequence[int]) -> Task:
    """The merged task without training and validation images of classes with a count of 0."""
    unseen = np.flatnonzero(np.asarray(counts) == 0)
    if not len(unseen):
        return task
    if task.subpopulations is None:
        raise InputError(
            "counts gives a class 0 training images; merge it with other classes, so that its "
            "images have a class that is trained on."
        )
    hidden = task.subpopulations[0]
    train, validation = (
        rows[~np.isin(hidden[rows], unseen)] for rows in (task.train, task.validation)
    )
    return replace(task, train=train, validation=validation).checked()


def subpopulation_recall(
    task: Task, rows: np.ndarray, predicted: np.ndarray
) -> dict[str, dict[str, Any]]:
    """Recall of the merged class in each of its sub-populations, among the images ``rows``.

    By name of the sub-population: ``class``, ``train`` (training images), ``n`` and ``recall``
    (None without images).
    """
    assert task.subpopulations is not None
    hidden, names = task.subpopulations
    train = np.bincount(hidden[task.train], minlength=len(names))
    right = predicted == task.labels[rows]
    found = {}
    for c, name in enumerate(names):
        hits = right[hidden[rows] == c]
        found[name] = {
            "class": task.class_names[int(task.labels[np.argmax(hidden == c)])],
            "train": int(train[c]),
            "n": len(hits),
            "recall": float(hits.mean()) if len(hits) else None,
        }
    return found


def _pairs(text: str, option: str, example: str) -> list[tuple[str, str]]:
    found = []
    for part in filter(None, map(str.strip, text.split(";"))):
        name, equals, value = part.partition("=")
        if not (name.strip() and equals and value.strip()):
            raise InputError(f"{option} is {quoted(text)}, but must look like {quoted(example)}.")
        found.append((name.strip(), value.strip()))
    return found


def _index(name: str, task: Task, option: str) -> int:
    if name not in task.class_names:
        raise InputError(
            f"{option} names {quoted(name)}, which is no class of {task.name}; "
            f"its classes are: {some(task.class_names)}."
        )
    return task.class_names.index(name)
