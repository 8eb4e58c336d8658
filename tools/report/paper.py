"""The page of the paper's tables: published values, then the same methods measured here."""

from collections.abc import Sequence

from clmle.paper import CAPTIONS, table
from clmle.studies.open_set_table import open_set_frame, open_set_table
from clmle.studies.paper_comparison import (
    ATTRIBUTE_METHODS,
    COMPONENTS,
    RECOGNITION_METHODS,
    measured,
)
from clmle.studies.study_results import StudyResults
from tools.report.markdown import Page, number
from tools.report.presets import labeled

PUBLISHED = {"lfw_acc": "LFW", "ytf_acc": "YTF", "rank1_1m": "rank 1", "tar_at_far_1e-6": "TAR"}


def write(page: Page, studies: Sequence[StudyResults]) -> None:
    """Tables 2 to 7 for the methods that exist here; published and measured values apart."""
    page.text(
        "Published values are of photographs (CelebA, LFW, MegaFace), large networks and days on a "
        "GPU; those measured here are of other data and small networks. The order of methods may "
        "be compared, their values may not. All values are in per cent."
    )
    found = {s.name: s for s in studies}
    for number_ in (2, 3, 4):
        printed = table(number_)
        printed = printed[printed["method"].isin(RECOGNITION_METHODS)]
        kept = [c for c in PUBLISHED if c in printed]
        page.heading(f"Published: Table {number_}")
        page.text(f"{CAPTIONS[number_]}.")
        page.table(
            ["method", *(f"published, {PUBLISHED[c]}" for c in kept)],
            [[r["method"], *(number(r[c], 2) for c in kept)] for _, r in printed.iterrows()],
        )
    if "recognition" in found:
        _measured_recognition(page, found["recognition"])
    means = table(5).set_index("attribute").loc["Average (40 attributes)"].drop("imbalance_level")
    _published(page, 5, "mean of 40 attributes", list(means.items()))
    _published(page, 6, "mean balanced accuracy", list(table(6).itertuples(index=False)))
    for name in ("attributes", "leaderboard"):
        _measured(page, found.get(name), ATTRIBUTE_METHODS)
    rows = [(r.variant, r.celeba_balanced_acc) for r in table(7).itertuples()]
    _published(page, 7, "balanced accuracy on CelebA", rows)
    _measured(page, found.get("table7"), COMPONENTS)


def _published(page: Page, number_: int, column: str, rows: Sequence[tuple[str, float]]) -> None:
    page.heading(f"Published: Table {number_}")
    page.text(f"{CAPTIONS[number_]}.")
    page.table(["method", f"published, {column}"], [[n, number(float(v), 2)] for n, v in rows])


def _measured(page: Page, study: StudyResults | None, names: dict[str, str]) -> None:
    if study is None:
        return
    rows = [
        [
            f"{r.paper} ({labeled(study, r.here)})",
            number(r.balanced_accuracy, 2),
            f"{number(r.low, 2)} to {number(r.high, 2)}",
        ]
        for r in measured(study, names).itertuples()
    ]
    if rows:
        page.heading(f"Measured here: {study.title}")
        page.text(f"[{study.name}]({study.name}.md), {study.budget()}.")
        page.table(["method", "measured here, balanced accuracy", "95 % CI over seeds"], rows)


def _measured_recognition(page: Page, study: StudyResults) -> None:
    found = open_set_table(open_set_frame(study.summaries))
    rows = [
        [
            f"{p} ({labeled(study, h)})",
            *(number(100 * found.loc[h, m], 2) for m in ("accuracy", "rank_one")),
        ]
        for p, h in RECOGNITION_METHODS.items()
        if h in found.index
    ]
    if rows:
        page.heading(f"Measured here: {study.title}")
        page.text(f"[{study.name}]({study.name}.md), {study.budget()}.")
        page.table(["method", "measured here, pair accuracy", "rank 1"], rows)
