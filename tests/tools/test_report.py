"""The page says what the numbers say, defeats included, and the same again from the same files."""

import json
import re

import numpy as np
import pytest

from clmle import __main__ as command_line
from clmle.config import flat
from clmle.errors import InputError
from clmle.studies.catalog import STUDIES
from clmle.studies.study_results import read_studies
from tools.report import page as report_page

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


def page(where):
    return report_page.make_page(read_studies(where))


def first_section(where):
    return page(where).markdown().split("## All methods")[0]


def test_a_win_is_claimed_only_where_every_interval_is_above_zero(folder):
    text = first_section(folder(leaderboard=ranking({"clmle": 0.9, "softmax": 0.7, "lmle": 0.8})))
    assert "**`clmle` is above every rival**" in text
    assert "strongest rival lmle" in text
    assert "Of 2 rivals it is above 2 with the whole interval" in text
    assert "does not beat" not in text
    for said in (
        "3 of the 5 seeds planned (0, 1 and 2)",
        "Bald and Smiling",
        "160 iterations of 240 images",
    ):
        assert said in text


def test_a_defeat_is_said_plainly_with_its_difference(folder):
    trials = ranking({"clmle": 0.8, "softmax": 0.6, "lmle": 0.9}, noise=0)
    text = first_section(folder(leaderboard=trials))
    assert "**`clmle` is not above every rival.**" in text
    assert "- does not beat lmle: difference −0.100 (95 % interval −0.100 to −0.100)" in text
    assert "does not beat softmax" not in text


def test_a_tie_is_not_a_win(folder):
    trials = ranking({"clmle": 0.8, "lmle": 0.8})
    for c in trials:  # +0.03, -0.01 and +0.01: the mean is above, the interval holds 0
        shift = (0.03, -0.01, 0.01)[c["seed"]] if c["variant"] == "clmle" else 0
        c["test"] = c["test"] | {"balanced_accuracy": 0.8 + shift}
    text = first_section(folder(leaderboard=trials))
    assert "highest mean, but is not above every rival for certain" in text
    assert "- does not beat lmle: difference +0.010" in text


def test_one_seed_claims_nothing(folder):
    text = first_section(folder(screen=ranking({"clmle": 0.9, "lmle": 0.7}, seeds=(0,), noise=0)))
    assert "is above every rival**" not in text
    assert "one seed against lmle: difference +0.200 (no interval" in text


def test_the_printed_form_is_not_a_rival(folder):
    trials = ranking({"clmle": 0.8, "clmle-paper": 0.95, "softmax": 0.6})
    text = first_section(folder(leaderboard=trials))
    assert "strongest rival softmax" in text
    assert "above every rival**" in text


def test_each_data_set_has_its_own_verdict(folder):
    where = folder(
        leaderboard=ranking({"clmle": 0.9, "softmax": 0.7}),
        solar_cells=ranking({"clmle": 0.6, "softmax": 0.7}, ("defect",), dataset="/data/solar"),
    )
    text = first_section(where)
    assert "### toonfaces" in text
    solar = text.split("### solar")[1]
    assert "is not above every rival" in solar
    assert "/data/" not in page(where).markdown()


def test_left_out_cells_are_told(folder):
    trials = ranking({"clmle": 0.9, "softmax": 0.7, "lmle": 0.8, "crl": 0.5})
    trials = [
        c for c in trials if c["variant"] != "crl" or (c["seed"] == 0 and "Bald" in c["task"])
    ]
    text = page(folder(leaderboard=trials)).markdown()
    assert "Too few cells to be in the table: crl (1)." in text
    assert "5 cells were left out" in text
    assert "one seed against crl: difference" in text
    assert "on only 1 of 6 cells" in text


def test_cost_is_relative_to_softmax(folder):
    trials = ranking({"softmax": 0.7}, seconds=2.0) + ranking({"clmle": 0.9}, seconds=5.0)
    text = page(folder(leaderboard=trials)).markdown()
    (row,) = re.findall(r"\| 1\. \*\*clmle\*\* .*", text)
    assert row.endswith("| 5.0 | 2.5 |")


def test_an_ablation_gets_the_figure_that_suits_it(folder):
    def study(name_and_options):
        return [
            trial(n, "Bald", s, 0.8 + s / 100, options=o, method="clmle")
            for n, o in name_and_options.items()
            for s in (0, 1)
        ]

    where = folder(
        cluster_size=study({f"l = {n}": {"cluster_size": n} for n in (25, 100, 800)}),
        scale_x_denominator=study(
            {
                f"{d}, s = {s}": {"denominator": d, "scale": s}
                for d in ("sum", "mean")
                for s in (1, 8)
            }
        ),
        rule=study({r: {"rule": r} for r in ("printed", "mean")}),
        neighbors=study({f"N = {n}" if n else "N chosen": {"n_neighbors": n} for n in (0, 1, 200)}),
    )
    drawn = page(where).figures
    assert drawn["cluster-size.svg"].layout.xaxis.type == "log"
    assert drawn["scale-x-denominator.svg"].data[0].type == "heatmap"
    assert list(drawn["scale-x-denominator.svg"].data[0].y) == ["sum", "mean"]
    assert list(drawn["rule.svg"].layout.yaxis.tickvals) == ["printed", "mean"]
    # 0 means "chosen": it has no place on an axis of numbers.
    assert list(drawn["neighbors.svg"].layout.yaxis.tickvals) == ["N chosen", "N = 1", "N = 200"]


def test_curves_give_the_iterations_to_a_level(folder):
    trials = [
        trial(n, "Bald", s, 0.9, course=[[100, 10.0, 0.5], [100 + k, 20.0, 0.9]])
        for n, k in (("clmle", 100), ("lmle", 200))
        for s in (0, 1)
    ]
    text = page(folder(curves=trials)).markdown()
    assert "| method | 0.65 | 0.70 | 0.75 | 0.80 | 0.85 | 0.90 |" in text
    assert re.search(r"\| lmle \| 175 \(14 s\) \| 200 \(15 s\) \| .* \| 300 \(20 s\) \|", text)
    assert re.search(r"\| clmle \| 138 \(14 s\) \| 150 \(15 s\) \| .* \| 200 \(20 s\) \|", text)
    assert "To 0.90, lmle takes 1.50 times the iterations" in text


def test_imbalance_is_a_column_a_ratio(folder):
    trials = [
        trial(n, "Smiling", s, v - r / 1000, ratio=r)
        for n, v in (("clmle", 0.9), ("softmax", 0.8))
        for r in (1.0, 10.0, 100.0)
        for s in (0, 1)
    ]
    made = page(folder(imbalance=trials))
    assert "| method | 1 : 1 | 10 : 1 | 100 : 1 |" in made.markdown()
    assert "| softmax | 0.799 ± 0.000 | 0.790 ± 0.000 | 0.700 ± 0.000 |" in made.markdown()
    assert made.figures["imbalance.svg"].layout.xaxis.type == "log"


def test_gains_are_told_at_every_ratio_and_where_they_are_largest(folder):
    """Over softmax ours gains more the rarer the few are, over lmle it gains most at 10 to 1."""
    gains = {"softmax": {1: 0.0, 10: 0.1, 100: 0.3}, "lmle": {1: 0.01, 10: 0.2, 100: 0.05}}
    trials = [
        trial(n, "Smiling", s, 0.9 - gains.get(n, {}).get(r, 0), ratio=float(r))
        for n in ("clmle", *gains)
        for r in (1, 10, 100)
        for s in (0, 1)
    ]
    text = page(folder(imbalance=trials)).markdown()
    assert (
        "The gain of clmle is largest at the highest imbalance, 100 : 1, over 1 of 2 rivals; "
        "not over lmle (at 10 : 1)." in text
    )
    lines = [line for line in text.splitlines() if line.startswith("| softmax | +")]
    assert lines == [
        "| softmax | +0.000 (+0.000 to +0.000) | +0.100 (+0.100 to +0.100) | "
        "+0.300 (+0.300 to +0.300) |"
    ]


def test_rivals_that_share_no_cell_with_ours_have_no_gain(folder):
    trials = [trial("clmle", "Smiling", 0, 0.9, ratio=r) for r in (1.0, 10.0)]
    trials += [
        trial(n, "Smiling", s, 0.8, ratio=r)
        for n in ("lmle", "softmax")
        for r in (1.0, 10.0)
        for s in (1, 2, 3)
    ]
    text = page(folder(imbalance=trials)).markdown()
    assert "| lmle | 0.800" in text
    assert "The gain of clmle" not in text


def test_published_and_measured_figures_never_share_a_table(folder):
    text = page(folder(leaderboard=ranking({"clmle": 0.9, "lmle": 0.8}))).markdown()
    beside = text.split("## Beside the paper")[1].split("## How it was made")[0]
    tables = re.findall(r"(?:\|.*\n)+", beside)
    assert len(tables) == 6
    for table in tables:
        assert ("published" in table) != ("measured here" in table)
    assert "| CLMLE | 88.78 |" in tables[0]
    assert "| Bald | 48 | 75 | 74 | 73 | 92 | 79 | 93 | 97 | 90 | 95 | +3 |" in tables[3]
    assert tables[3].count("\n") == 2 + 40
    assert re.search(r"\| clmle \(CLMLE\) \| (89|90)\.\d\d \|", tables[4])
    own = re.findall(r"\| (\w+) \(\w+\) \| \d+ \| (\d\d)\.\d \| (\d\d)\.\d \|", tables[5])
    assert [name for name, *_ in own] == ["Smiling", "Bald"]  # as Table 5: best balanced first
    assert all(lmle in ("79", "80") and ours in ("89", "90") for _, lmle, ours in own)


def test_every_caption_names_command_and_settings(folder):
    where = folder(leaderboard=ranking({"clmle": 0.9, "softmax": 0.7}), rule=ranking({"a": 0.5}))
    text = page(where).markdown()
    captions = re.findall(r"^\*.*\*$", text, flags=re.M)
    assert len(captions) == len(page(where).figures) == 4
    for caption in captions:
        assert re.search(
            r"`python -m clmle ablate (leaderboard|rule) --results .*\.jsonl`", caption
        )
        assert "160 iterations of 240 images, learning rate 0.05" in caption


def test_absent_studies_are_listed_and_nothing_else_is_lost(folder):
    made = page(folder())
    missing = made.markdown().split("### Not run yet")[1]
    for name in ("leaderboard", "solar-cells", "table7", "curves"):
        assert f"- {name}: " in missing
    assert "nothing can be said" in made.markdown()
    assert made.figures == {}


def test_the_order_of_lines_in_a_ranking_changes_nothing(folder):
    trials = ranking({"clmle": 0.9, "softmax": 0.7, "lmle": 0.8})
    first = page(folder(leaderboard=trials)).markdown()
    assert page(folder(leaderboard=trials[::-1])).markdown() == first


def test_command_writes_page_and_figures_and_checks_them(folder, monkeypatch, capsys):
    drawn = []

    def draw(figures):  # the drawing itself is tested with the figures
        from clmle.figures import export

        for path, figure in figures.items():
            drawn.append(path)
            page.write_text(path, f"<svg><!-- figure {export.digest(figure)} --></svg>")

    monkeypatch.setattr("clmle.figures.export.to_svgs", draw)
    where = folder(leaderboard=ranking({"clmle": 0.9, "softmax": 0.7}))
    out = where.parent / "RESULTS.md"
    flags = ["results", "--results", str(where), "--out", str(out)]
    assert command_line.main([*flags, "--check"]) == 1
    assert not out.exists()
    assert command_line.main(flags) == 0
    text = out.read_bytes()
    shown = re.findall(r"\]\((figures/[^)]+)\)", text.decode())
    assert shown
    assert [str(where.parent / s) for s in shown] == drawn
    assert command_line.main([*flags, "--check"]) == 0
    assert command_line.main(flags) == 0
    assert out.read_bytes() == text
    (where.parent / shown[0]).write_text("<svg/>")
    capsys.readouterr()
    assert command_line.main([*flags, "--check"]) == 1
    assert shown[0] in capsys.readouterr().err


def test_a_missing_folder_and_a_broken_line_are_sentences(folder, tmp_path, capsys):
    assert command_line.main(["results", "--results", str(tmp_path / "none")]) == 2
    assert "There is no folder" in capsys.readouterr().err
    where = folder(leaderboard=ranking({"clmle": 0.9}))
    line = json.dumps({"key": "k", "variant": "v"}) + "\n"
    (where / "rule.jsonl").write_text(line)
    with pytest.raises(InputError, match=r"'v' in .*rule\.jsonl lacks 'method'"):
        read_studies(where)


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
def test_an_odd_result_is_told(folder, spoil, sentence):
    trials = json.loads(json.dumps(ranking({"clmle": 0.9})))
    spoil(trials[0])
    where = folder(leaderboard=trials)
    with pytest.raises(InputError) as reported:
        read_studies(where)
    path = (where / "leaderboard.jsonl").as_posix()
    wanted = f"A result of 'clmle' in {path} {sentence}; remove its line and run that cell again."
    assert str(reported.value) == wanted


def test_flat_names_every_leaf():
    assert flat({"a": 1, "b": {"c": {"d": 2}}}) == {"a": 1, "b.c.d": 2}


def test_all_tasks_at_once_are_the_mean_over_every_task_of_every_set(folder):
    where = folder(
        leaderboard=ranking({"clmle": 0.9, "lmle": 0.85, "softmax": 0.8}, noise=0),
        digits=ranking({"clmle": 0.7, "lmle": 0.8}, ("label",), noise=0, dataset="digits"),
    )
    text = first_section(where).split("### All tasks of all data sets at once")[1].split("###")[0]
    row = next(line for line in text.splitlines() if line.startswith("| lmle"))
    # Two faces' tasks at +0.05 and one of digits at -0.1: 0 over tasks, -0.025 over sets.
    assert row.split(" | ")[3:7] == ["+0.000 (+0.000 to +0.000)", "+0.050", "−0.100", "−0.025"]
    assert "softmax" not in text  # it has no cell of digits
    assert "not above lmle for certain" in text or "behind lmle" in text


def test_one_data_set_is_not_averaged_with_itself(folder):
    where = folder(leaderboard=ranking({"clmle": 0.9, "lmle": 0.8}))
    assert "All tasks of all data sets" not in first_section(where)


def test_what_was_bought_with_other_measures_is_told(folder):
    """Ours is ahead in balanced accuracy, behind in average precision, in MCC by the seed."""
    trials = ranking({"clmle": 0.9, "lmle": 0.8}, noise=0)
    digits = ranking({"clmle": 0.9, "lmle": 0.8}, ("label",), noise=0, dataset="digits")
    for c in (*trials, *digits):
        ours = c["variant"] == "clmle"
        c["test"] = c["test"] | {
            "average_precision": 0.4 if ours else 0.6,
            "mcc": 0.5 + (ours and c["seed"]) * 0.1,
        }
    digits[0]["test"]["roc_auc"] = None
    text = first_section(folder(leaderboard=trials, digits=digits))
    assert (
        "The same difference in average precision −0.200 (−0.200 to −0.200), ROC AUC +0.100 "
        "(+0.100 to +0.100) and MCC +0.100 (−0.148 to +0.348)." in text
    )
    row = next(r for r in text.splitlines() if r.startswith("| lmle") and r.count("|") == 5)
    assert row == "| lmle | −0.200 (−0.200 to −0.200) | – | +0.100 (−0.148 to +0.348) |"


@pytest.mark.parametrize(
    ("auc", "reported"),
    [(0.9, "ranks the images no better"), (0.6, "ranks the images better too"), (None, "")],
)
def test_a_defeat_is_told_apart_by_ranking_and_line(folder, auc, reported):
    trials = ranking({"clmle": 0.7, "lmle": 0.8}, noise=0)
    for c in trials:
        c["test"] = c["test"] | {"roc_auc": auc if c["variant"] == "clmle" else 0.8}
    text = first_section(folder(leaderboard=trials))
    assert (f"On average lmle {reported}" in text) if reported else ("On average lmle" not in text)
    assert "On average" not in first_section(folder(leaderboard=ranking({"clmle": 0.9, "x": 0.8})))


def test_what_was_decided_beforehand_stands_apart_with_the_seeds_still_to_come(folder):
    seeds = range(20, 25)
    where = folder(
        leaderboard=ranking({"clmle": 0.8, "lmle": 0.9}, noise=0),
        digits=ranking({"clmle": 0.8, "lmle": 0.9}, ("label",), noise=0, dataset="digits"),
        confirmation_toonfaces=ranking({"clmle": 0.9, "lmle": 0.8}, seeds=seeds),
        confirmation_digits=ranking(
            {"clmle": 0.9, "lmle": 0.8}, ("label",), seeds=seeds, dataset="digits"
        ),
    )
    text = first_section(where)
    ours, others = (
        text.split(f"### {title}")[1].split("###")[0]
        for title in ("Decided beforehand: all tasks", "All tasks of all data sets at once")
    )
    assert "above every rival" in ours
    assert "behind lmle" in others
    for name in ("confirmation-toonfaces", "confirmation-digits"):
        planned = len(STUDIES[name].seeds)
        assert f"5 of the {planned} seeds planned (20, 21, 22, 23 and 24)" in text
    assert "3 of the 5 seeds planned" in text  # of the leaderboard


def test_a_cell_run_again_with_other_defaults_takes_the_place_of_the_earlier(folder):
    trials = ranking({"clmle": 0.7, "lmle": 0.8}, noise=0)
    again = [c | {"key": f"new-{c['key']}"} for c in ranking({"clmle": 0.9}, noise=0)]
    text = first_section(folder(leaderboard=trials + again))
    assert "Mean balanced accuracy 0.900; strongest rival lmle with 0.800" in text
