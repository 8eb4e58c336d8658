"""The paper's figures on CelebA, and ours on other data: apart, each under its own heading."""

from __future__ import annotations

from collections.abc import Sequence

from clmle.experiments.page.markdown import Page, number
from clmle.experiments.page.study import Study
from clmle.experiments.statistics import cells_frame, complete_variants, variant_table
from clmle.paper import CAPTIONS, table

# The paper's names of methods that are here too.
HERE = {
    "Triplet-kNN": "triplet",
    "Over-sampling": "over-sampling",
    "Down-sampling": "down-sampling",
    "Cost-sensitive": "cost-sensitive",
    "CRL-I": "crl",
    "LMLE": "lmle",
    "CLMLE": "clmle",
    "MOON": "moon",
}


def section(page: Page, studies: Sequence[Study]) -> None:
    """Tables 5 (its mean), 6 and 7 as published, then the same methods as measured here."""
    page.heading("Beside the paper")
    page.text(
        "Published figures are of photographs (CelebA, 178 × 218 pixels, large networks, days "
        "on a GPU), measured ones of other data in minutes: the order of methods may be "
        "compared, their figures may not. All tables of this section are in per cent."
    )
    means = table(5).set_index("attribute").loc["Average (40 attributes)"].drop("imbalance_level")
    _published(page, 5, "mean of 40 attributes", list(means.items()))
    _published(page, 6, "mean balanced accuracy", list(table(6).itertuples(index=False)))
    _published(
        page, 7, "balanced accuracy on CelebA",
        [(r.variant, r.celeba_balanced_acc) for r in table(7).itertuples()],
    )  # fmt: skip
    found = {s.name: s for s in studies}
    # Learnt together as in the paper, and each by itself.
    for name in ("attributes", "leaderboard"):
        if name in found:
            _measured(page, found[name], HERE)
    if "table7" in found:
        _measured(page, found["table7"], None)


def _published(page: Page, number_: int, column: str, rows: Sequence[tuple[str, float]]) -> None:
    page.heading(f"Published, CelebA: Table {number_}", 3)
    page.text(f"{CAPTIONS[number_]}.")
    page.table(["method", f"published, {column}"], [[n, number(float(v), 2)] for n, v in rows])


def _measured(page: Page, study: Study, names: dict[str, str] | None) -> None:
    """Mean balanced accuracy of the variants the paper has too (all where ``names`` is None)."""
    kept, _ = complete_variants(cells_frame(study.summaries))
    found = variant_table(kept)
    title = {method: paper for paper, method in (names or {}).items()}
    rows = [
        [f"{n} ({title[n]})" if names else n, number(100 * r["balanced_accuracy"], 2)]
        for n, r in found.iterrows()
        if names is None or n in title
    ]
    if rows:
        page.heading(f"Measured here, {study.dataset}: {study.title}", 3)
        page.text(f"Mean balanced accuracy over tasks and seeds; {study.budget()}.")
        page.table(["method", f"measured here, {study.dataset}"], rows)
