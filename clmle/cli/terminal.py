"""What commands print: progress on one line and small tables."""

import sys
import time
from collections.abc import Sequence
from typing import Any

from clmle.text import counted

NOT_TRAINED = "Not trained, since all training images with a label have the same value"
SHOTS = {"many": "over 100", "medium": "20 to 100", "few": "fewer than 20"}
MOST_CLASSES = 50  # with more, no line per class


class Progress:
    """Print ``progress(done, total)`` with the time left; one line on a terminal."""

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
        new = done - self.first
        left = (now - self.began) / new * (total - done) if new > 0 else None
        line = f"{self.what} {done:,} of {total:,}{time_left(left)}"
        show(line, last=done >= total)


def show(line: str, last: bool = False) -> None:
    """Print a line on stderr; on a terminal the next one replaces it."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{line}", end="\n" if last else "", file=sys.stderr, flush=True)
    else:
        print(line, file=sys.stderr, flush=True)


def time_left(seconds: float | None) -> str:
    """Format the time left, such as ", 1 min 20 s left"; empty where it is unknown."""
    return "" if seconds is None else f", {duration(seconds)} left"


def duration(seconds: float | None) -> str:
    """Format seconds as 3 s, 1 min 20 s or 2 h 5 min."""
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def table(rows: list[dict[str, Any]]) -> str:
    """Format rows as aligned columns, numbers to the right."""
    if not rows:
        return ""
    names = list(rows[0])
    texts = [[_text(row[n]) for n in names] for row in rows]
    widths = [max(len(n), *(len(r[i]) for r in texts)) for i, n in enumerate(names)]
    right = [all(isinstance(r[n], int | float) or r[n] is None for r in rows) for n in names]

    def line(values: list[str]) -> str:
        return "  ".join(
            v.rjust(w) if r else v.ljust(w) for v, w, r in zip(values, widths, right, strict=True)
        ).rstrip()

    return "\n".join([line(names), *(line(r) for r in texts)])


def metrics_table(
    metrics: dict[str, Any], class_names: list[str], not_trained: Sequence[str] = ()
) -> str:
    """Format the metrics of one split; of several attributes also one line per attribute.

    ``not_trained`` names the attributes without training images of both values.
    """
    if "attributes" not in metrics:
        return _means_table(metrics, class_names)
    rows = [
        {"attribute": name, "images": images_of(f)[1], "of": f["n"],
         "balanced accuracy": f["balanced_accuracy"], "average precision": f["average_precision"],
         "ROC AUC": f["roc_auc"], "MCC": f["mcc"], "recall, negative": f["recall"][0],
         "recall, positive": f["recall"][1]}
        for name, f in metrics["attributes"].items()
    ]  # fmt: skip
    parts = [table(rows)]
    if metrics["attributes"]:
        parts.append(f"Means of {len(rows)} attributes:\n\n{_means_table(metrics, class_names)}")
    if metrics["left_out"]:
        parts.append(
            "Not in the means, since all images with a label have the same value: "
            f"{', '.join(metrics['left_out'])}."
        )
    if not_trained:
        parts.append(f"{NOT_TRAINED}: {', '.join(not_trained)}.")
    return "\n\n".join(part for part in parts if part)


def _means_table(metrics: dict[str, Any], class_names: list[str]) -> str:
    low, high = metrics["interval"]
    named = list(zip(class_names, metrics["recall"], images_of(metrics), strict=True))
    lines = [
        {"metric": "balanced accuracy", "value": metrics["balanced_accuracy"],
         "": f"95 % interval {low:.3f} to {high:.3f}"},
        *(
            {"metric": name.replace("_", " "), "value": metrics[name], "": ""}
            for name in ("accuracy", "average_precision", "roc_auc", "mcc")
        ),
        *(
            {"metric": f"recall of {name}", "value": value, "": f"{images} images"}
            for name, value, images in (named if len(named) <= MOST_CLASSES else ())
        ),
    ]  # fmt: skip
    shots = metrics.get("shots", {})
    if any(shots[name]["classes"] for name in ("medium", "few") if name in shots):
        lines += [
            {"metric": f"accuracy, {name}-shot classes", "value": found["accuracy"],
             "": counted(found["classes"], "class", "classes")
             + f" with {SHOTS[name]} training images"}
            for name, found in shots.items()
            if found["classes"]
        ]  # fmt: skip
    lines += [
        {"metric": f"recall of {name} in {found['class']}", "value": found["recall"],
         "": f"{found['n']:,} images, {found['train']:,} for training"}
        for name, found in metrics.get("subpopulations", {}).items()
    ]  # fmt: skip
    if len(named) > MOST_CLASSES:
        found = [value for _, value, _ in named if value is not None]
        note = f"of the {len(found):,} of {len(named):,} classes that have images here"
        fraction = sum(value == 1 for value in found) / len(found)
        lines.append({"metric": "fraction with recall 1", "value": fraction, "": note})
    return table(lines)


def tar_table(rows: list[dict[str, Any]]) -> str:
    """Format true accept rates by false accept rate."""
    shown = table([
        {"FAR": f"{row['far']:g}", "TAR": row["tar"], "threshold": row["threshold"],
         "95 % interval": interval(row["interval"]),
         "over identities": interval(row["identity_interval"])}
        for row in rows
    ])  # fmt: skip
    return "\n".join([shown, *(row["note"] for row in rows if row["note"])])


def distractor_table(rows: list[dict[str, Any]]) -> str:
    """Format rank-1 identification rates by number of distractors."""
    return table([
        {"distractors": f"{row['distractors']:,}", "rank-1 rate": row["rate"],
         "95 % interval over identities": interval(row["identity_interval"])}
        for row in rows
    ])  # fmt: skip


def interval(ends: list[float] | None) -> str:
    """Format an interval as "0.912 to 0.934"; empty where there is none."""
    return "" if ends is None else f"{ends[0]:.3f} to {ends[1]:.3f}"


def images_of(metrics: dict[str, Any]) -> list[int]:
    """Return the images of each class; results without ``support`` have a confusion matrix."""
    return metrics.get("support") or [sum(row) for row in metrics["confusion"]]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)
