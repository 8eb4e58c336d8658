"""Pages of ablations: the figure that suits them, intervals, convergence and ratios."""

import re

from tests.tools.results_folder import OURS, folder, pages, ranking, text_of, trial

__all__ = ["folder"]  # a fixture


def test_an_ablation_gets_the_figure_that_suits_it(folder):
    def study(name_and_options):
        return [
            trial(n, "Bald", s, 0.8 + s / 100, options=o, method="clmle")
            for n, o in name_and_options.items()
            for s in (0, 1)
        ]

    made = pages(
        folder(
            cluster_size=study({f"l = {n}": {"cluster_size": n} for n in (25, 100, 800)}),
            scale_x_denominator=study(
                {
                    f"{d}, s = {s}": {"denominator": d, "scale": s}
                    for d in ("sum", "mean")
                    for s in (1, 8)
                }
            ),
            classifier=study({r: {"rule": r} for r in ("printed", "mean")}),
            neighbors=study(
                {f"N = {n}" if n else "N chosen": {"n_neighbors": n} for n in (0, 1, 200)}
            ),
        )
    )
    drawn = {name: f for page in made.values() for name, f in page.figures.items()}
    assert drawn["cluster-size.svg"].layout.xaxis.type == "log"
    assert drawn["scale-x-denominator.svg"].data[0].type == "heatmap"
    assert set(drawn["scale-x-denominator.svg"].data[0].y) == {"sum", "mean"}
    assert set(drawn["classifier.svg"].layout.yaxis.tickvals) == {"printed", "mean"}
    # 0 means "chosen": it has no place on an axis of numbers.
    assert list(drawn["neighbors.svg"].layout.yaxis.tickvals) == ["N chosen", "N = 1", "N = 200"]


def test_an_ablation_names_variants_whose_interval_excludes_zero(folder):
    trials = ranking({"clmle": 0.9, "worse": 0.8, "same": 0.9}, method="clmle")
    text = text_of(folder(components=trials), "components")
    assert re.search(rf"Below {re.escape(OURS)}: worse −(9|10)\.\d pp", text)
    assert "The 95 % CI of the other 1 variant contains 0." in text


def test_convergence_gives_the_iterations_to_a_level(folder):
    trials = [
        trial(n, "Bald", s, 0.9, course=[[100, 10.0, 0.5], [100 + k, 20.0, 0.9]])
        for n, k in (("clmle", 100), ("lmle", 200))
        for s in (0, 1)
    ]
    text = text_of(folder(convergence=trials), "convergence")
    assert "| method | 0.65 | 0.70 | 0.75 | 0.80 | 0.85 | 0.90 |" in text
    assert re.search(r"\| lmle \| 175 \(14 s\) \| 200 \(15 s\) \| .* \| 300 \(20 s\) \|", text)
    assert re.search(r"\| clmle .*\| 138 \(14 s\) \| 150 \(15 s\) \| .* \| 200 \(20 s\) \|", text)
    assert "To reach 0.90, lmle takes 1.50 times the iterations" in text


def test_the_sweep_of_imbalance_has_a_column_for_each_ratio(folder):
    trials = [
        trial(n, "Smiling", s, v - r / 1000, ratio=r)
        for n, v in (("clmle", 0.9), ("softmax", 0.8))
        for r in (1.0, 10.0, 100.0)
        for s in (0, 1)
    ]
    made = pages(folder(imbalance=trials))["imbalance"]
    assert "| balanced accuracy | 1 : 1 | 10 : 1 | 100 : 1 |" in made.markdown()
    assert "| softmax | 0.799 ± 0.000 | 0.790 ± 0.000 | 0.700 ± 0.000 |" in made.markdown()
    assert made.figures["imbalance.svg"].layout.xaxis.type == "log"


def test_gains_are_listed_at_every_ratio_with_the_ratio_of_the_largest(folder):
    """Over softmax the gain grows with imbalance; over lmle it is largest at 10 to 1."""
    gains = {"softmax": {1: 0.0, 10: 0.1, 100: 0.3}, "lmle": {1: 0.01, 10: 0.2, 100: 0.05}}
    trials = [
        trial(n, "Smiling", s, 0.9 - gains.get(n, {}).get(r, 0), ratio=float(r))
        for n in ("clmle", *gains)
        for r in (1, 10, 100)
        for s in (0, 1)
    ]
    text = text_of(folder(imbalance=trials), "imbalance")
    assert (
        f"The gain of {OURS} is largest at the highest ratio, 100 : 1, over 1 of 2 baselines; "
        "not over lmle (at 10 : 1)." in text
    )
    lines = [line for line in text.splitlines() if line.startswith("| softmax | +")]
    assert lines == ["| softmax | +0.000 | +0.100 | +0.300 |"]  # two seeds: no intervals


def test_baselines_without_a_shared_trial_have_no_gain(folder):
    trials = [trial("clmle", "Smiling", 0, 0.9, ratio=r) for r in (1.0, 10.0)]
    trials += [
        trial(n, "Smiling", s, 0.8, ratio=r)
        for n in ("lmle", "softmax")
        for r in (1.0, 10.0)
        for s in (1, 2, 3)
    ]
    text = text_of(folder(imbalance=trials), "imbalance")
    assert "| lmle | 0.800" in text
    assert "The gain of" not in text
