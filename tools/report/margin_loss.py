"""Pages of the studies of Eq. 9: every endpoint with and without it, and the map of regimes."""

import math
import re
from collections.abc import Sequence
from typing import Any

from clmle import figures
from clmle.studies.endpoints import ENDPOINTS, endpoint_frame
from clmle.studies.margin_loss_variants import WITHOUT
from clmle.studies.statistics import Difference, paired_difference
from clmle.studies.study_results import FAMILY, StudyResults
from clmle.text import counted
from tools.report.markdown import Page, number, points, points_cell, points_text

PP = "difference, pp"
REGIME = r"(\d+) (\w+ \w+)(, noise)?, (clusters|one cluster)"


def write(page: Page, study: StudyResults) -> None:
    """Verdict by endpoint, clusters against one cluster, table and figure."""
    frame = endpoint_frame(study.summaries)
    ours = {s["variant"] for s in study.summaries if s["method"] in FAMILY}
    names = [n for n in study.variants if n != WITHOUT]
    controls = {name: control_of(name, study.variants) for name in names}
    names = [n for n in names if controls[n] != n and n in ours]
    keys = measured(frame)
    found: dict[str, dict[str, Difference]] = {key: {} for key in keys}
    for key in keys:
        for name in names:
            if d := paired_difference(frame, name, controls[name], key, n_bootstrap=0):
                found[key][name] = d
    page.text("**Result.**", *verdict(found, frame))
    page.heading("Results")
    page.text(
        f"Bold: mean {WITHOUT}, and of other methods. Others: difference to the same "
        f"configuration {WITHOUT} in percentage points (95 % t-interval over seeds). Positive is "
        "better, but for the impostor rate. Active: fraction of samples with a hinge above zero "
        "in the first and the last quarter of the steps with Eq. 9."
    )
    rows = []
    for name in study.variants:
        own = frame[frame["variant"] == name]
        cells = [
            points_cell(found[key].get(name)) if name in names else number(own[key].mean())
            for key in keys
        ]
        active = [number(own[k].mean(), 2) for k in ("active_first", "active_last")]
        rows.append([name if name in names else f"**{name}**", *cells, " to ".join(active)])
    page.table(["variant", *keys.values(), "active"], rows)
    panels = {
        label: {n: _row(d) for n, d in found[key].items()}
        for key, label in keys.items()
        if key != "average_precision"
    }
    page.figure(
        study.name,
        figures.effects(panels, f"{study.title}: difference to the same {WITHOUT}", PP),
        f"Mean and 95 % t-interval over {counted(len(study.seeds), 'seed')}.",
    )


def measured(frame: Any) -> dict[str, str]:
    """The endpoints that trials of the frame have, with their labels."""
    return {key: label for key, label in ENDPOINTS.items() if frame[key].notna().any()}


def control_of(name: str, variants: Sequence[str]) -> str:
    """The control without Eq. 9 of a variant: that of its condition if there is one."""
    own = f"{name.rpartition(', ')[0]}, {WITHOUT}"
    return name if name.endswith(WITHOUT) else own if own in variants else WITHOUT


def verdict(found: dict[str, dict[str, Difference]], frame: Any) -> list[str]:
    """One sentence for each endpoint, and one for what clusters change."""
    sentences = []
    for key, label in measured(frame).items():
        known = [d for d in found[key].values() if d.low is not None and d.high is not None]
        if not known:
            continue
        above = sum(d.low > 0 for d in known if d.low is not None)
        below = sum(d.high < 0 for d in known if d.high is not None)
        lower, upper = (pick(known, key=lambda d: d.mean) for pick in (min, max))
        sentences.append(
            f"{label.capitalize()}: of {counted(len(known), 'variant')} the whole interval is "
            f"above zero for {above} and below for {below} (means {points(lower.mean)} to "
            f"{points(upper.mean)} pp)."
        )
    for key, label in measured(frame).items():
        found_here = [
            f"minus {words}: {points_text(d)}"
            for other, words in (("one cluster", "one cluster per class"), (WITHOUT, WITHOUT))
            if (d := clusters_minus(other, frame, key))
        ]
        if found_here:
            sentences.append(f"{label.capitalize()}, clusters {', '.join(found_here)}.")
    return sentences


def clusters_minus(other: str, frame: Any, key: str) -> Difference | None:
    """Clusters minus ``other`` in the same condition, mean over conditions, by seed."""
    kinds = f"clusters|one cluster|{re.escape(WITHOUT)}"
    parts = frame["variant"].str.extract(rf"^(.*, )?({kinds})(, .*)?$")
    condition = parts[0].fillna("") + parts[2].fillna("")
    frame = frame.assign(variant=parts[1], task=condition)[parts[1].notna()]
    return paired_difference(frame, "clusters", other, key, n_bootstrap=0)


def write_regime(page: Page, study: StudyResults) -> None:
    """Effects of Eq. 9 against the size of a class, with and without noise."""
    frame = endpoint_frame(study.summaries)
    keys = [key for key in measured(frame) if key != "average_precision"]
    panels: dict[str, dict[str, list[Any]]] = {ENDPOINTS[key]: {} for key in keys}
    rows, tally, what = [], [], ""
    for name in study.variants:
        match = re.fullmatch(REGIME, name)
        if match is None:
            continue
        size, what, noise, clusters = int(match[1]), match[2], match[3], match[4]
        base = name.removesuffix(clusters) + WITHOUT
        line = clusters + (" with noise" if noise else "")
        cells = []
        for key in keys:
            d = paired_difference(frame, name, base, key, n_bootstrap=0)
            cells.append(points_cell(d))
            if d is not None:
                panels[ENDPOINTS[key]].setdefault(line, []).append((size, *_row(d)))
                tally.append((key, line, size, d))
        own = frame[frame["variant"] == name].mean(numeric_only=True)
        margins = (f"{own[m]:.2f}" for m in ("train_margin", "margin"))
        rows.append([f"{size:,}", line, *cells, " / ".join(margins), number(own["active_last"], 2)])
    page.text("**Result.**", *_regimes(tally))
    page.heading("Results")
    page.text(
        f"Difference to the same configuration {WITHOUT} in percentage points (95 % t-interval "
        "over seeds). Noise is added to the training features as augmentation. Margins: mean "
        "local margin of the minority with Eq. 9, on training and on test data: similarity to the "
        "nearest training example of the class minus that to the nearest of another class."
    )
    header = ["Eq. 9", *(ENDPOINTS[k] for k in keys), "margins, training / test", "active, last"]
    page.table([what, *header], rows)
    page.figure(
        study.name,
        figures.regime_map(panels, study.title, what, PP),
        f"Mean and 95 % t-interval over {counted(len(study.seeds), 'seed')}; above zero Eq. 9 "
        "raises the value. A lower impostor rate is better.",
    )


def generalization(study: StudyResults) -> dict[str, list[tuple[str, float, Any]]]:
    """Every regime's size, the local margin of its minority's test data, and the effect in pp.

    By endpoint.
    """
    frame, found = endpoint_frame(study.summaries), {}
    for key in ("balanced_accuracy", "neighbor_purity"):
        rows = []
        for name in study.variants:
            match = re.fullmatch(REGIME, name)
            if match is None or match[4] != "clusters":
                continue
            base = name.removesuffix("clusters") + WITHOUT
            d = paired_difference(frame, name, base, key, n_bootstrap=0)
            own = frame[frame["variant"] == name].mean(numeric_only=True)
            if d is not None and math.isfinite(own["margin"]):
                size = f"{int(match[1]):,}{match[3] or ''}"
                rows.append((size, float(own["margin"]), _row(d)))
        if rows:
            found[ENDPOINTS[key]] = rows
    return found


def _regimes(tally: list[tuple[str, str, int, Difference]]) -> list[str]:
    sentences = []
    for key, label in ENDPOINTS.items():
        own = [(line, size, d) for k, line, size, d in tally if k == key]
        known = [(line, size, d) for line, size, d in own if d.low is not None]
        if not known:
            continue
        up = [f"{size:,} ({line})" for line, size, d in known if d.low is not None and d.low > 0]
        down = [
            f"{size:,} ({line})" for line, size, d in known if d.high is not None and d.high < 0
        ]
        sentences.append(
            f"{label.capitalize()}: whole interval above zero at {', '.join(up) or 'no size'}, "
            f"below at {', '.join(down) or 'no size'}."
        )
    return sentences


def _row(d: Difference) -> tuple[float, float | None, float | None]:
    return tuple(None if v is None else 100 * v for v in (d.mean, d.low, d.high))  # type: ignore[return-value]
