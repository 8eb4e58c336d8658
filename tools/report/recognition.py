"""People never seen in training: figures of every method, differences, the paper's rows apart."""

from __future__ import annotations

from collections.abc import Sequence

from clmle import figures
from clmle.paper import CAPTIONS, table
from clmle.studies.open_set_table import (
    FIGURES,
    HERE,
    open_set_frame,
    open_set_table,
)
from clmle.studies.statistics import complete_variants, paired_difference
from tools.report.markdown import Page, counted, interval, number, signed, with_spread
from clmle.studies.study_results import FAMILY, OURS, Study

COMPARED = {"accuracy": "accuracy of pairs", "rank_one": "first among all distractors"}


def section(page: Page, studies: Sequence[Study]) -> None:
    """Verdict, table and figure; then Tables 2 to 4 as published."""
    for study in studies:
        frame = open_set_frame(study.summaries)
        if study.name != "recognition" or frame.empty:
            continue
        frame, few = complete_variants(frame)
        page.heading("People never seen")
        page.text(
            f"{study.question} Each network learns identities and is asked about others: ten "
            "folds of pairs (LFW's protocol), and every image against strangers (MegaFace's). "
            f"`{study.command}`: {study.budget()}; {counted(len(study.seeds), 'seed')}."
        )
        if few:
            page.text(f"Too few cells to be in the table: {', '.join(sorted(few))}.")
        for figure, words in COMPARED.items():
            page.text(verdict(frame, figure, words))
        found = open_set_table(frame)
        page.table(
            ["method", *FIGURES.values()],
            [
                [
                    f"{place}. " + (f"**{name}**" if name == OURS else str(name)),
                    with_spread(r["accuracy"], r["spread"]),
                    *(number(r[f]) for f in list(FIGURES)[1:]),
                ]
                for place, (name, r) in enumerate(found.iterrows(), start=1)
            ],
        )
        page.text(
            "± is the standard deviation over seeds. Tail and head: held-out images of known "
            "people with fewest and most training images, judged by each method's own rule."
        )
        draw(page, study, frame)
        published(page)


def verdict(frame: object, figure: str, words: str) -> str:
    """Where the method stands by one figure, its strongest rival named; defeats are said."""
    import pandas

    assert isinstance(frame, pandas.DataFrame)
    if OURS not in set(frame["variant"]):
        return f"`{OURS}` has no result here yet."
    baselines = frame.loc[~frame["method"].isin(FAMILY), "variant"].unique()
    found = [paired_difference(frame, OURS, n, figure, n_bootstrap=0) for n in baselines]
    known = sorted((d for d in found if d is not None), key=lambda d: d.mean)
    if not known:
        return ""
    worst = known[0]
    above = sum(d.low is not None and d.low > 0 for d in known)
    below = sum(d.high is not None and d.high < 0 for d in known)
    said = "is not above every rival" if worst.mean <= 0 else "has the highest mean"
    return (
        f"By {words} **`{OURS}` {said}**: against the strongest, {worst.second}, "
        f"{signed(worst.mean)} (95 % interval over seeds {interval(worst.low, worst.high)}); of "
        f"{counted(len(known), 'rival')} above {above} with the whole interval, below {below}."
    )


def draw(page: Page, study: Study, frame: object) -> None:
    """Differences to the method by both figures."""
    import pandas

    assert isinstance(frame, pandas.DataFrame)
    for figure, words in COMPARED.items():
        names = [n for n in frame["variant"].unique() if n != OURS]
        found = {n: paired_difference(frame, OURS, n, figure, n_bootstrap=0) for n in names}
        known = sorted(((n, d) for n, d in found.items() if d), key=lambda nd: nd[1].mean)
        if not known:
            continue
        shown = {n: (d.mean, d.low, d.high) for n, d in known}
        page.figure(
            f"recognition-{figure.replace('_', '-')}",
            figures.differences(shown, f"{OURS} minus each other method", f"difference, {words}"),
            study.caption(f"Paired differences by {words}, 95 % interval over seeds."),
        )


def published(page: Page) -> None:
    """Tables 2 to 4: the rows of methods that are here too, as printed, on their own."""
    page.heading("Published, photographs: Tables 2 to 4", 3)
    page.text(
        "Figures of the paper in per cent, of photographs, large networks and a million "
        "distractors: the order of methods may be compared with the table above, figures may not."
    )
    columns = {"lfw_acc": "LFW", "ytf_acc": "YTF", "rank1_1m": "rank 1", "tar_at_far_1e-6": "TAR"}
    for number_ in (2, 3, 4):
        printed = table(number_)
        printed = printed[printed["method"].isin(HERE)]
        kept = [c for c in columns if c in printed]
        page.text(f"Table {number_}: {CAPTIONS[number_]}.")
        page.table(
            ["method", *(f"published, {columns[c]}" for c in kept)],
            [[r["method"], *(number(r[c], 2) for c in kept)] for _, r in printed.iterrows()],
        )
