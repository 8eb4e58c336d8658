"""The page of the level field: ranks of all methods over several problems at equal tuning."""

import math
from collections.abc import Sequence
from typing import Any

from clmle import figures
from clmle.studies.catalog.tuning import LEVEL_FIELD
from clmle.studies.study_results import OURS, StudyResults
from clmle.text import counted
from tools.report.markdown import Page, number
from tools.report.tuning import chosen_config, chosen_on_other_problems, chosen_on_other_seeds

IMBALANCED, BALANCED = "tuning-features", "tuning-features-balanced"
# What the problems are called in the table.
SHORT = {
    "tuning-features": "CIFAR-10-LT, features",
    "tuning-expressions": "expressions, features",
    "tuning-attributes": "14 attributes, features",
    "tuning-points": "hidden modes, points",
    "tuning-identities": "150 identities, features",
}


def accuracies(studies: Sequence[StudyResults], chosen_on: str = "all seeds") -> dict[str, Any]:
    """By problem: test balanced accuracy of each method in the configuration that it chose.

    It is chosen on validation images of all seeds, for each seed on the "other seeds", or on the
    "other problems".
    """
    found = {s.name: s for s in studies if s.name in LEVEL_FIELD and not chosen_config(s).empty}
    if chosen_on == "other problems":
        values = chosen_on_other_problems(found)
    elif chosen_on == "other seeds":
        values = {n: chosen_on_other_seeds(s) for n, s in found.items()}
    else:
        by_method = {n: chosen_config(s).set_index("method") for n, s in found.items()}
        values = {n: frame["balanced_accuracy"] for n, frame in by_method.items()}
    return {SHORT[n]: values[n] for n in LEVEL_FIELD if n in values}


def ranks(found: dict[str, Any]) -> Any:
    """Rank of each method on each problem, ties shared, with the mean; best mean first."""
    import pandas

    columns = {n: values.rank(ascending=False) for n, values in found.items()}
    frame = pandas.DataFrame(columns).dropna()
    return frame.assign(mean=frame.mean(axis=1)).sort_values("mean", kind="stable")


def critical_difference(methods: int, problems: int, level: float = 0.95) -> float:
    """Smallest difference of two mean ranks that is significant (Nemenyi's test)."""
    from scipy.stats import studentized_range

    q = float(studentized_range.ppf(level, methods, math.inf)) / math.sqrt(2)
    return q * math.sqrt(methods * (methods + 1) / (6 * problems))


def friedman(frame: Any) -> float:
    """The p-value of Friedman's test that all methods have the same mean rank."""
    from scipy.stats import friedmanchisquare

    problems = frame.drop(columns="mean")
    return float(friedmanchisquare(*problems.to_numpy()).pvalue)


def place(frame: Any) -> int:
    """Place of CLMLE by mean rank."""
    return 1 + int((frame["mean"] < frame.loc[OURS, "mean"]).sum())


def verdict(frame: Any) -> str:
    """Place of CLMLE, and what the tests say of the differences."""
    n = len(frame.columns) - 1
    first = frame.index[0] if frame.index[0] != OURS else frame.index[1]
    return (
        f"`{OURS}` has place {place(frame)} of {len(frame)} by mean rank "
        f"({frame.loc[OURS, 'mean']:.1f}; {first}: {frame.loc[first, 'mean']:.1f}) over "
        f"{counted(n, 'problem')}. Friedman's test of equal ranks: p = {friedman(frame):.3f}; two "
        "methods differ at 95 % where their mean ranks are "
        f"{critical_difference(len(frame), n):.1f} apart (Nemenyi)."
    )


def write(page: Page, studies: Sequence[StudyResults]) -> None:
    """Verdict, table of ranks and balanced accuracies, figure."""
    page.text(
        "Every method has the same four settings, the same calibration, and validation images as "
        "imbalanced as the training images; its setting with the best mean on validation images "
        "is evaluated on test images. The seeds of the choice are those of the test; for the mean "
        "rank by *other seeds* the other seeds choose the setting of each, and by *other "
        "problems* the validation images of the other problems do, of the settings that trained "
        "on all."
    )
    found = accuracies(studies)
    frame = ranks(found) if len(found) > 1 else None
    if frame is None or OURS not in frame.index:
        page.text("Not measured yet.")
        return
    page.text(f"**Result.** {verdict(frame)}")
    page.heading("Results")
    others = [ranks(accuracies(studies, on))["mean"] for on in ("other seeds", "other problems")]
    rows = [
        [
            f"**{method}**" if method == OURS else method,
            number(row["mean"], 1),
            *(number(o[method], 1) if method in o else "-" for o in others),
            *(f"{number(values[method])} ({row[p]:g})" for p, values in found.items()),
        ]
        for method, row in frame.iterrows()
    ]
    columns = (f"{p}: balanced accuracy (rank)" for p in found)
    page.table(["method", "mean rank", "by other seeds", "by other problems", *columns], rows)
    page.figure(
        "level-field",
        figures.mean_ranks(frame.drop(columns="mean").T.to_dict(), "Ranks at equal tuning"),
        "One symbol for each problem; bars are mean ranks.",
    )
    _balanced(page, studies)


def _balanced(page: Page, studies: Sequence[StudyResults]) -> None:
    """One problem again with balanced validation images: balanced accuracies and ranks."""
    from scipy.stats import spearmanr

    found = {s.name: s for s in studies}
    if not {IMBALANCED, BALANCED} <= set(found):
        return
    columns = [
        chosen_config(found[name]).set_index("method")["balanced_accuracy"]
        for name in (IMBALANCED, BALANCED)
    ]
    methods = [m for m in columns[1].index if m in columns[0]]
    places = [column[methods].rank(ascending=False) for column in columns]
    page.heading("Balanced validation images")
    page.text(
        f"{SHORT[IMBALANCED]}, with equally many validation images of every class, so that the "
        "calibration and the choice of a setting see more of the rare classes. Balanced accuracy "
        "(rank); "
        f"rank correlation of the two columns {spearmanr(*places)[0]:.2f}."
    )
    page.table(
        ["method", "imbalanced validation images", "balanced"],
        [
            [
                f"**{m}**" if m == OURS else m,
                *(f"{number(c[m])} ({r[m]:g})" for c, r in zip(columns, places, strict=True)),
            ]
            for m in methods
        ],
    )
