"""The paper's figures on CelebA, and ours on other data: apart, each under its own heading."""

from __future__ import annotations

from collections.abc import Sequence

from clmle.paper import CAPTIONS, paper_attribute, table
from clmle.studies.statistics import complete_variants, trials_frame, variant_table
from tools.report.markdown import Page, number, signed
from clmle.studies.study_results import Study
from clmle.studies.study_results import task_label

# The paper's names of methods that are here too.
HERE = {
    "Triplet-kNN": "triplet",
    "Over-sampling": "oversampling",
    "Down-sampling": "undersampling",
    "Cost-sensitive": "class-weighting (inverse)",
    "CRL-I": "crl",
    "LMLE": "lmle",
    "CLMLE": "clmle",
    "MOON": "moon",
}


def section(page: Page, studies: Sequence[Study]) -> None:
    """Tables 5, 6 and 7 as published, then the same methods as measured here."""
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
    _each_attribute(page)
    found = {s.name: s for s in studies}
    # Learned together as in the paper, and each by itself.
    for name in ("attributes", "leaderboard"):
        if name in found:
            _measured(page, found[name], HERE)
            _measured_each(page, found[name])
    if "table7" in found:
        _measured(page, found["table7"], None)


def _each_attribute(page: Page) -> None:
    """Table 5 as it is, and the gain that Fig. 9 draws."""
    rows = table(5).iloc[:-1]
    methods = list(rows.columns[2:])
    page.heading("Published, CelebA: Table 5 and Fig. 9, every attribute", 3)
    page.text("Best balanced first; the last column is of Fig. 9's kind. – is illegible.")
    trials = [
        [
            r["attribute"],
            *(number(r[c], 0) for c in ("imbalance_level", *methods)),
            signed(r["CLMLE"] - r["Over-sampling"], 0),
        ]
        for r in rows.to_dict("records")
    ]
    page.table(
        ["attribute", "published, imbalance level", *methods, "CLMLE over Over-sampling"], trials
    )


def _measured_each(page: Page, study: Study) -> None:
    """The attributes that Table 5 has too, by the methods of the paper."""
    kept, _ = complete_variants(trials_frame(study.summaries))
    means = kept.groupby(["task", "variant"])["balanced_accuracy"].mean().unstack("variant")
    named = {ours: paper for paper, ours in HERE.items() if ours in means.columns}
    level = 50 - 100 * kept.groupby("task")["minority"].mean().sort_values(ascending=False)
    shared = [task for task in level.index if paper_attribute(short(task))]
    if not shared or not named:
        return
    both = {"clmle", "oversampling"} <= set(named)
    trials = []
    for task in shared:
        row = means.loc[task]
        gain = [signed(100 * (row["clmle"] - row["oversampling"]), 1)] if both else []
        values = [number(100 * row[name], 1) for name in named]
        name = f"{short(task)} ({paper_attribute(short(task))})"
        trials.append([name, number(level[task], 0), *values, *gain])
    title = ["attribute (in Table 5)", f"measured here, {study.dataset}: imbalance level"]
    last = ["CLMLE over Over-sampling"] if both else []
    page.text("Of these, the attributes that Table 5 has too, by the methods of the paper:")
    page.table([*title, *named.values(), *last], trials)


def _published(page: Page, number_: int, column: str, rows: Sequence[tuple[str, float]]) -> None:
    page.heading(f"Published, CelebA: Table {number_}", 3)
    page.text(f"{CAPTIONS[number_]}.")
    page.table(["method", f"published, {column}"], [[n, number(float(v), 2)] for n, v in rows])


def _measured(page: Page, study: Study, names: dict[str, str] | None) -> None:
    """Mean balanced accuracy of the variants the paper has too (all where ``names`` is None)."""
    kept, _ = complete_variants(trials_frame(study.summaries))
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
