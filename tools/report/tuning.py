"""The page of equal tuning: what each method chose on validation images, and its test metrics."""

from collections.abc import Mapping
from typing import Any

from clmle.studies.baselines import all_differences
from clmle.studies.statistics import common_block, trials_frame, variant_table
from clmle.studies.study_results import OURS, StudyResults
from tools.report.comparison import draw_differences
from tools.report.markdown import Page, number, points_text, with_spread
from tools.report.presets import emphasized, labeled


def write(page: Page, study: StudyResults) -> None:
    """Verdict, table, and the figure of differences."""
    chosen = chosen_config(study)
    if chosen.empty:
        page.text("The methods share no task and seed yet.")
        return
    found = tuned_differences(study, chosen)
    if found:
        page.text(
            f"**Result.** The strongest tuned baseline is {found[0].second}; "
            f"`{labeled(study, OURS)}` minus it: {points_text(found[0])}."
        )
    page.heading("Results")
    tries = sorted(set(chosen["tries"]))
    effort = str(tries[0]) if len(tries) == 1 else f"{tries[0]} to {tries[-1]}"
    page.text(
        f"Configurations trained for each method: {effort}; fewer where training diverged or is "
        "not finished. The one with the highest mean on validation images is evaluated on test "
        "images."
    )
    page.table(
        [
            "method", "configuration chosen", "validation", "balanced accuracy, test", "by default",
            "average precision", "ROC AUC", "MCC",
        ],
        [
            [
                f"{rank}. {emphasized(study, r['method'])}", r["setting"], number(r["validation"]),
                with_spread(r["balanced_accuracy"], r["spread"]), number(r["default"]),
                *(number(r[m]) for m in ("average_precision", "roc_auc", "mcc")),
            ]
            for rank, (_, r) in enumerate(chosen.iterrows(), start=1)
        ],
    )  # fmt: skip
    draw_differences(page, study, found, f"{study.name}-differences")


def chosen_config(study: StudyResults) -> Any:
    """One row for each method, of the trials that all have: what validation chose, test metrics."""
    import pandas

    block, of_test = _blocks(study)
    validation = block.groupby("variant")["balanced_accuracy"].mean()
    test = variant_table(of_test)
    rows = []
    for method, tried in block.groupby("method", sort=False):
        names = [n for n in study.variants if n in set(tried["variant"])]
        best = max(names, key=lambda n: validation[n])
        rows.append(
            {
                "method": method, "variant": best, "setting": best.removeprefix(f"{method}, "),
                "tries": len(names), "validation": validation[best],
                "default": test["balanced_accuracy"].get(f"{method}, default"), **test.loc[best],
            }
        )  # fmt: skip
    if not rows:
        return pandas.DataFrame()
    by = ["balanced_accuracy", "method"]
    return pandas.DataFrame(rows).sort_values(by, ascending=[False, True], ignore_index=True)


def chosen_on_other_seeds(study: StudyResults) -> Any:
    """Test balanced accuracy of each method; other seeds choose the configuration of a seed."""
    import pandas

    block, test = _blocks(study)
    of_test = test.pivot_table("balanced_accuracy", "variant", "seed")
    found = {}
    for method, tried in block.groupby("method", sort=False):
        validation = tried.pivot_table("balanced_accuracy", "variant", "seed")
        validation = validation.reindex([n for n in study.variants if n in validation.index])
        others = validation.rsub(validation.sum(axis=1), axis=0)
        found[method] = of_test.to_numpy()[
            of_test.index.get_indexer(others.idxmax()), range(len(others.columns))
        ].mean()
    return pandas.Series(found, dtype=float)


def chosen_on_other_problems(studies: Mapping[str, StudyResults]) -> dict[str, Any]:
    """By problem, test balanced accuracy of each method; the others choose its configuration.

    It is the one with the best mean on validation images over the other problems, of those that
    were trained on all.
    """
    import pandas

    blocks = {name: _blocks(study) for name, study in studies.items()}
    validation, test = (
        pandas.DataFrame({n: b[i].groupby("variant")["balanced_accuracy"].mean()
                          for n, b in blocks.items()}).dropna()
        for i in (0, 1)
    )  # fmt: skip
    method = validation.index.str.rsplit(", ", n=1).str[0]
    return {
        name: test[name][validation.drop(columns=name).mean(axis=1).groupby(method).idxmax()]
        .rename(lambda variant: variant.rsplit(", ", 1)[0])
        for name in validation
    }  # fmt: skip


def _blocks(study: StudyResults) -> tuple[Any, Any]:
    """Metrics on validation and on test images of the trials that all configurations have."""
    frame = _by_method(trials_frame(study.summaries, "validation"))
    of_test = trials_frame(study.summaries)
    trained = _trained(frame)
    return tuple(common_block(f[f["variant"].isin(trained)]) for f in (frame, of_test))


def _trained(frame: Any) -> set[str]:
    """Configurations with a trial for every seed that all methods have: training can diverge."""
    methods = frame["method"].nunique()
    by_seed = frame.groupby("seed")
    seeds = {seed for seed, rows in by_seed if rows["method"].nunique() == methods}
    return {name for name, rows in frame.groupby("variant") if seeds <= set(rows["seed"])}


def tuned_differences(study: StudyResults, chosen: Any) -> list[Any]:
    """CLMLE minus every baseline, each in the configuration it chose."""
    if OURS not in set(chosen["method"]):
        return []
    frame = study.frame
    frame = _by_method(frame[frame["variant"].isin(chosen["variant"])])
    return all_differences(frame.assign(variant=frame["method"]))


def _by_method(frame: Any) -> Any:
    """The frame with the method as variants are named: "method, configuration"."""
    return frame.assign(method=frame["variant"].str.rsplit(", ", n=1).str[0])
