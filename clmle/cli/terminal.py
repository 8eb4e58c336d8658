"""What commands print: progress on one line, small tables."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

NOT_LEARNED = "Not learned, since no training image shows them or none does not"
FEW_CLASSES = 50  # up to which a class has a line of its own


class Progress:
    """``progress(done, total)`` as a bar with time left; plain lines where it is not a terminal."""

    def __init__(self, what: str) -> None:
        self.what, self.began, self.printed = what, time.monotonic(), 0.0
        self.first: int | None = None

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self.first is None:
            self.first, self.began = done, now
        pause = 0.1 if sys.stderr.isatty() else 5.0
        if now - self.printed < pause and done < total:
            return
        self.printed = now
        fresh = done - self.first
        left = (now - self.began) / fresh * (total - done) if fresh > 0 else None
        line = f"{self.what} {done:,} of {total:,}{time_left(left)}"
        show(line, last=done >= total)


def show(line: str, last: bool = False) -> None:
    """A line that the next one replaces on a terminal, on stderr."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{line}", end="\n" if last else "", file=sys.stderr, flush=True)
    else:
        print(line, file=sys.stderr, flush=True)


def time_left(seconds: float | None) -> str:
    """ ", 1 min 20 s left", or nothing where it is not known."""
    return "" if seconds is None else f", {duration(seconds)} left"


def duration(seconds: float | None) -> str:
    """3 s, 1 min 20 s, 2 h 5 min."""
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def table(rows: list[dict[str, Any]]) -> str:
    """Columns aligned; numbers to the right."""
    if not rows:
        return ""
    names = list(rows[0])
    cells = [[_text(row[n]) for n in names] for row in rows]
    widths = [max(len(n), *(len(r[i]) for r in cells)) for i, n in enumerate(names)]
    right = [all(isinstance(r[n], int | float) or r[n] is None for r in rows) for n in names]

    def line(values: list[str]) -> str:
        return "  ".join(
            v.rjust(w) if r else v.ljust(w) for v, w, r in zip(values, widths, right, strict=True)
        ).rstrip()

    return "\n".join([line(names), *(line(r) for r in cells)])


def metrics_table(
    metrics: dict[str, Any], class_names: list[str], not_learned: Sequence[str] = ()
) -> str:
    """The figures of one split, a line each; of several attributes a line for each too.

    ``not_learned`` names the attributes that the run had nothing to learn from.
    """
    if "attributes" not in metrics:
        return _means_table(metrics, class_names)
    rows = [
        {"attribute": name, "images": images_of(f)[1], "of": f["n"],
         "balanced accuracy": f["balanced_accuracy"], "average precision": f["average_precision"],
         "ROC AUC": f["roc_auc"], "MCC": f["mcc"], "recall, not shown": f["recall"][0],
         "recall, shown": f["recall"][1]}
        for name, f in metrics["attributes"].items()
    ]  # fmt: skip
    parts = [table(rows)]
    if metrics["attributes"]:
        parts.append(f"Means of {len(rows)} attributes:\n\n{_means_table(metrics, class_names)}")
    if metrics["left_out"]:
        parts.append(
            "In no mean, since no image shows them or none does not: "
            f"{', '.join(metrics['left_out'])}."
        )
    if not_learned:
        parts.append(f"{NOT_LEARNED}: {', '.join(not_learned)}.")
    return "\n\n".join(part for part in parts if part)


def _means_table(metrics: dict[str, Any], class_names: list[str]) -> str:
    low, high = metrics["interval"]
    named = list(zip(class_names, metrics["recall"], images_of(metrics), strict=True))
    lines = [
        {"figure": "balanced accuracy", "value": metrics["balanced_accuracy"],
         "": f"95 % interval {low:.3f} to {high:.3f}"},
        *(
            {"figure": name.replace("_", " "), "value": metrics[name], "": ""}
            for name in ("accuracy", "average_precision", "roc_auc", "mcc")
        ),
        *(
            {"figure": f"recall of {name}", "value": value, "": f"{images} images"}
            for name, value, images in (named if len(named) <= FEW_CLASSES else ())
        ),
    ]  # fmt: skip
    if len(named) > FEW_CLASSES:
        found = [value for _, value, _ in named if value is not None]
        part = f"of {len(found):,} classes of {len(named):,}, that have images here"
        share = sum(value == 1 for value in found) / len(found)
        lines.append({"figure": "all recalled", "value": share, "": part})
    return table(lines)


def images_of(metrics: dict[str, Any]) -> list[int]:
    """Images of each class; earlier results say so in their confusion alone."""
    return metrics.get("support") or [sum(row) for row in metrics["confusion"]]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)
