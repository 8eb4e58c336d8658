"""Pages of results state what the numbers say, also defeats, and depend on the results alone."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from clmle.config import flat
from clmle.studies.catalog import STUDIES
from clmle.studies.study_results import read_studies
from tools.report import pages as report
from tools.report.__main__ import main

TRAIN = {
    "seed": 0, "iterations": 160, "batch_size": 240, "learning_rate": 0.05, "backbone": "small",
    "device": "auto", "threads": 0, "precision": "auto", "rounds": 4,
}  # fmt: skip


def trial(variant, task, seed, value, *, options=None, ratio=1.0, course=None, method=None,
         dataset="toonfaces", counts=(90, 10), seconds=3.0):  # fmt: skip
    figures = {
        "balanced_accuracy": value, "accuracy": value, "average_precision": value, "roc_auc": value,
        "mcc": value, "recall": [value, value], "confusion": [[1, 0], [0, 1]],
    }  # fmt: skip
    data = {"dataset": dataset, "attribute": task, "size": "quick", "image_size": 40,
            "imbalance": "none", "ratio": ratio}  # fmt: skip
    return {
        "key": f"{variant}-{task}-{seed}-{ratio}", "variant": variant, "method": method or variant,
        "task": f"{dataset.rsplit('/', 1)[-1]}/{task}", "seed": seed, "class_counts": list(counts),
        "validation": figures, "test": figures, "chosen": {}, "best_round": 1,
        "learning_curve": course or [[80, 2.0, 0.5], [160, 4.0, value]], "seconds": seconds,
        "machine": {"device": "cpu", "threads": 1, "torch": "2", "python": "3.11"},
        "config": {"method": method or variant, "options": options or {}, "data": data,
                     "train": TRAIN | {"seed": seed}},
    }  # fmt: skip


def ranking(means, tasks=("Bald", "Smiling"), seeds=(0, 1, 2), noise=0.002, **more):
    rng = np.random.default_rng(0)
    counts = {"Bald": (98, 2), "Smiling": (52, 48)}
    return [
        trial(n, t, s, m + float(rng.normal(0, noise)), counts=counts.get(t, (9, 1)), **more)
        for n, m in means.items()
        for t in tasks
        for s in seeds
    ]


@pytest.fixture
def folder(tmp_path):
    """Writes studies: name -> summaries; returns their folder."""
    where = tmp_path / "docs" / "results"
    where.mkdir(parents=True)

    def write(**studies):
        for name, trials in studies.items():
            lines = "".join(json.dumps(c) + "\n" for c in trials)
            (where / f"{name.replace('_', '-')}.jsonl").write_text(lines)
        return where

    return write


def pages(where):
    return report.make_pages(read_studies(where))


def text_of(where, name="leaderboard"):
    return pages(where)[name].markdown()


OURS = "`clmle (single-label preset)`"


def test_a_win_is_claimed_only_if_every_interval_is_above_zero(folder):
    text = text_of(folder(leaderboard=ranking({"clmle": 0.9, "softmax": 0.7, "lmle": 0.8})))
    assert f"**{OURS} is above every baseline**" in text
    assert "strongest baseline lmle" in text
    assert "Of 2 baselines, the whole 95 % CI is above 0 for 2" in text
    for part in (
        "3 of the 5 planned seeds",
        "3 (0, 1 and 2)",
        "Bald and Smiling",
        "160 iterations of 240 images",
    ):
        assert part in text


def test_a_defeat_is_stated_with_its_difference(folder):
    trials = ranking({"clmle": 0.8, "softmax": 0.6, "lmle": 0.9}, noise=0)
    text = text_of(folder(leaderboard=trials))
    assert f"**{OURS} is not above every baseline.**" in text
    assert "difference −10.0 pp (3 seeds, no interval)" in text
    assert "| lmle | 0.900 ± 0.000 | −0.100 |" in text


def test_a_tie_is_not_a_win(folder):
    trials = ranking({"clmle": 0.8, "lmle": 0.8})
    for c in trials:  # +0.03, -0.01 and +0.01: the mean is above 0, the interval contains 0
        shift = (0.03, -0.01, 0.01)[c["seed"]] if c["variant"] == "clmle" else 0
        c["test"] = c["test"] | {"balanced_accuracy": 0.8 + shift}
    text = text_of(folder(leaderboard=trials))
    assert "has the highest mean, but is not certainly above every baseline" in text
    assert "| lmle | 0.800 ± 0.000 | +0.010 (−0.040 to +0.060) |" in text


def test_one_seed_claims_nothing(folder):
    trials = ranking({"clmle": 0.9, "lmle": 0.7}, seeds=(0,), noise=0)
    text = text_of(folder(screening=trials), "screening")
    assert "is above every baseline**" not in text
    assert "difference +20.0 pp (1 seed, no interval)" in text


def test_the_method_as_printed_is_not_a_baseline(folder):
    trials = ranking({"clmle": 0.8, "clmle-paper": 0.95, "softmax": 0.6})
    text = text_of(folder(leaderboard=trials))
    assert "strongest baseline softmax" in text
    assert "above every baseline**" in text


def test_every_study_has_a_page_with_its_verdict(folder):
    where = folder(
        leaderboard=ranking({"clmle": 0.9, "softmax": 0.7}),
        solar_cells=ranking({"clmle": 0.6, "softmax": 0.7}, ("defect",), dataset="/data/solar"),
    )
    made = pages(where)
    shared = {"index", "pooled", "level-field", "paper", "reproduction"}
    assert {"leaderboard", "solar-cells", *shared} == set(made)
    assert "is above every baseline" in made["leaderboard"].markdown()
    assert "is not above every baseline" in made["solar-cells"].markdown()
    assert "/data/" not in made["solar-cells"].markdown()


def test_the_kind_of_preset_is_named_with_the_method(folder):
    trials = ranking({"clmle": 0.9, "softmax": 0.7})
    for c in trials:
        c["config"]["data"]["attribute"] = "all"
    where = folder(attributes=trials)
    assert "**clmle (multi-label preset)**" in text_of(where, "attributes")
    assert "one network for all (multi-label preset)" in text_of(where, "index")


def test_trials_left_out_are_reported(folder):
    trials = ranking({"clmle": 0.9, "softmax": 0.7, "lmle": 0.8, "crl": 0.5})
    trials = [
        c for c in trials if c["variant"] != "crl" or (c["seed"] == 0 and "Bald" in c["task"])
    ]
    text = text_of(folder(leaderboard=trials))
    assert "Not in the table, with too few trials: crl (1)." in text
    assert "5 trials without a counterpart are left out" in text
    assert re.search(r"variants with fewer trials: crl .* on 1 trial\.", text)


def test_cost_is_relative_to_softmax(folder):
    trials = ranking({"softmax": 0.7}, seconds=2.0) + ranking({"clmle": 0.9}, seconds=5.0)
    rows = re.findall(r"^\| \*\*clmle .*", text_of(folder(leaderboard=trials)), flags=re.M)
    assert rows[0].endswith("| 5.0 | 2.5 |")


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


def test_published_and_measured_values_never_share_a_table(folder):
    text = text_of(folder(leaderboard=ranking({"clmle": 0.9, "lmle": 0.8})), "paper")
    tables = re.findall(r"(?:\|.*\n)+", text)
    assert len(tables) == 7
    for table in tables:
        assert ("published" in table) != ("measured here" in table)
    assert "| CLMLE | 88.78 |" in text
    assert re.search(r"\| CLMLE \(clmle \(single-label preset\)\) \| (89|90)\.\d\d \|", text)


def test_every_caption_names_command_and_budget(folder):
    made = pages(
        folder(leaderboard=ranking({"clmle": 0.9, "softmax": 0.7}), classifier=ranking({"a": 0.5}))
    )
    text = "\n".join(page.markdown() for page in made.values())
    captions = re.findall(r"^\*[^*].*\*$", text, flags=re.M)
    assert len(captions) == sum(len(page.figures) for page in made.values()) == 4
    for caption in captions:
        assert re.search(
            r"`python -m clmle ablate (leaderboard|classifier) --results .*\.jsonl`", caption
        )
        assert "160 iterations of 240 images, learning rate 0.05" in caption


def test_without_results_there_are_pages_without_claims(folder):
    made = pages(folder())
    assert set(made) == {"index", "pooled", "level-field", "paper", "reproduction"}
    assert "0 trials" in made["index"].markdown()
    assert not any(page.figures for page in made.values())


def test_the_order_of_lines_changes_nothing(folder):
    trials = ranking({"clmle": 0.9, "softmax": 0.7, "lmle": 0.8})
    first = text_of(folder(leaderboard=trials))
    assert text_of(folder(leaderboard=trials[::-1])) == first


def test_the_command_writes_pages_and_figures_and_checks_them(folder, monkeypatch, capsys):
    drawn = []

    def draw(figures):  # the drawing itself is tested with the figures
        from clmle.figures import export

        for path, figure in figures.items():
            drawn.append(path)
            Path(path).parent.mkdir(exist_ok=True)
            Path(path).write_text(f"<svg><!-- figure {export.digest(figure)} --></svg>")

    monkeypatch.setattr("clmle.figures.export.to_svgs", draw)
    where = folder(leaderboard=ranking({"clmle": 0.9, "softmax": 0.7}))
    docs = where.parent
    flags = ["--results", str(where), "--out", str(docs)]
    assert main([*flags, "--check"]) == 1
    assert not (where / "index.md").exists()
    assert main(flags) == 0
    text = (where / "leaderboard.md").read_bytes()
    shown = re.findall(r"\]\(\.\./(figures/[^)]+)\)", text.decode())
    assert shown
    assert [str(docs / s) for s in shown] == drawn
    assert main([*flags, "--check"]) == 0
    assert main(flags) == 0
    assert (where / "leaderboard.md").read_bytes() == text
    numbers = json.loads((where / "summary.json").read_text())
    assert numbers["leaderboard"]["differences"]["softmax"]["seeds"] == 3
    assert (docs / "_includes" / "main_results.md").read_text().count("\n") == 3
    (docs / shown[0]).write_text("<svg/>")
    capsys.readouterr()
    assert main([*flags, "--check"]) == 1
    assert shown[0] in capsys.readouterr().err


def test_a_missing_folder_and_a_broken_line_are_sentences(folder, tmp_path, capsys):
    assert main(["--results", str(tmp_path / "none")]) == 2
    assert "There is no folder" in capsys.readouterr().err
    where = folder(leaderboard=ranking({"clmle": 0.9}))
    line = json.dumps({"key": "k", "variant": "v"}) + "\n"
    (where / "classifier.jsonl").write_text(line)
    assert main(["--results", str(where), "--out", str(tmp_path / "out")]) == 2
    assert "classifier.jsonl lacks 'method' and is left out" in capsys.readouterr().err


def test_shipped_pages_are_those_of_the_shipped_results():
    assert report.stale("docs/results", "docs") == []


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda c: c.update(seed="=1+1"), "has '=1+1' as its 'seed', which must be a whole number"),
        (lambda c: c.update(seed=[1]), "has [1] as its 'seed', which must be a whole number"),
        (lambda c: c.update(task=5), "has 5 as its 'task', which must be a text"),
        (lambda c: c.update(config=[]), "has [] as its 'config', which must be a table"),
        (lambda c: c["config"].pop("data"), "lacks 'data'"),
        (lambda c: c["config"].update(data=1), "has 1 as its 'data', which must be a table"),
        (
            lambda c: c.update(class_counts="x"),
            "has 'x' as its 'class_counts', which must be a list",
        ),
        (lambda c: c.update(machine=5), "has 5 as its 'machine', which must be a table"),
        (lambda c: c.update(seconds=None), "has None as its 'seconds', which must be a number"),
    ],
)
def test_a_malformed_result_is_reported(folder, spoil, sentence):
    trials = json.loads(json.dumps(ranking({"clmle": 0.9})))
    spoil(trials[0])
    where = folder(leaderboard=trials)
    (study,) = read_studies(where)
    assert len(study.summaries) == len(trials) - 1
    (found,) = study.damaged
    assert found.startswith(f"Line 1 of {where / 'leaderboard.jsonl'} {sentence} and is left out")


def test_flat_names_every_leaf():
    assert flat({"a": 1, "b": {"c": {"d": 2}}}) == {"a": 1, "b.c.d": 2}


def test_pooled_tasks_have_the_same_weight_each(folder):
    where = folder(
        leaderboard=ranking({"clmle": 0.9, "lmle": 0.85, "softmax": 0.8}, noise=0),
        digits=ranking({"clmle": 0.7, "lmle": 0.8}, ("label",), noise=0, dataset="digits"),
    )
    text = text_of(where, "pooled")
    row = next(line for line in text.splitlines() if line.startswith("| lmle"))
    # Two faces' tasks at +0.05 and one of digits at -0.1: 0 over tasks, -0.025 over sets.
    assert row.split(" | ")[3:7] == ["+0.000", "+0.050", "−0.100", "−0.025"]
    assert "softmax" not in text  # it has no trial of digits
    assert "not certainly above lmle" in text or "below lmle" in text


def test_one_data_set_is_not_pooled_with_itself(folder):
    where = folder(leaderboard=ranking({"clmle": 0.9, "lmle": 0.8}))
    assert "|" not in text_of(where, "pooled")


def test_differences_in_other_metrics_are_listed(folder):
    """CLMLE is ahead in balanced accuracy, behind in average precision, in MCC by the seed."""
    trials = ranking({"clmle": 0.9, "lmle": 0.8}, noise=0)
    digits = ranking({"clmle": 0.9, "lmle": 0.8}, ("label",), noise=0, dataset="digits")
    for c in (*trials, *digits):
        ours = c["variant"] == "clmle"
        c["test"] = c["test"] | {
            "average_precision": 0.4 if ours else 0.6,
            "mcc": 0.5 + (ours and c["seed"]) * 0.1,
        }
    digits[0]["test"]["roc_auc"] = None
    where = folder(leaderboard=trials, digits=digits)
    assert (
        "In other metrics: average precision −0.200, ROC AUC +0.100 and MCC +0.100 (−0.148 to "
        "+0.348)." in text_of(where)
    )
    lines = text_of(where, "pooled").splitlines()
    row = next(r for r in lines if r.startswith("| lmle") and r.count("|") == 5)
    assert row == "| lmle | −0.200 | – | +0.100 (−0.148 to +0.348) |"


@pytest.mark.parametrize(
    ("auc", "said"),
    [(0.9, "ranks the images no better"), (0.6, "also ranks the images better"), (None, "")],
)
def test_a_defeat_is_diagnosed_by_the_ranking_of_images(folder, auc, said):
    trials = ranking({"clmle": 0.7, "lmle": 0.8}, noise=0)
    for c in trials:
        c["test"] = c["test"] | {"roc_auc": auc if c["variant"] == "clmle" else 0.8}
    text = text_of(folder(leaderboard=trials))
    assert (f"lmle {said}" in text) if said else ("ranks" not in text)
    assert "ranks" not in text_of(folder(leaderboard=ranking({"clmle": 0.9, "x": 0.8})))


def test_preregistered_studies_are_pooled_apart(folder):
    seeds = range(20, 25)
    where = folder(
        leaderboard=ranking({"clmle": 0.8, "lmle": 0.9}, noise=0),
        digits=ranking({"clmle": 0.8, "lmle": 0.9}, ("label",), noise=0, dataset="digits"),
        preregistered_toonfaces=ranking({"clmle": 0.9, "lmle": 0.8}, seeds=seeds),
        preregistered_digits=ranking(
            {"clmle": 0.9, "lmle": 0.8}, ("label",), seeds=seeds, dataset="digits"
        ),
    )
    _, first, second = text_of(where, "pooled").split("## ")
    assert "above every baseline" in first
    assert "below lmle" in second
    for name in ("preregistered-toonfaces", "preregistered-digits"):
        planned = len(STUDIES[name].seeds)
        assert f"5 of the {planned} planned seeds" in text_of(where, name)


def test_a_trial_run_again_with_other_defaults_replaces_the_earlier_one(folder):
    trials = ranking({"clmle": 0.7, "lmle": 0.8}, noise=0)
    again = [c | {"key": f"new-{c['key']}"} for c in ranking({"clmle": 0.9}, noise=0)]
    text = text_of(folder(leaderboard=trials + again))
    assert "Balanced accuracy 0.900; strongest baseline lmle, 0.800" in text
