"""Figures and tables of a study show the numbers that plain loops over its results give."""

import itertools
from pathlib import Path

import numpy as np
import pandas
import pytest

from clmle.errors import InputError
from clmle.paper import paper_attribute, table
from clmle.studies.attributes import (
    attribute_frame,
    compared,
    confusion_of,
    default_pair,
    gains,
    mean_gain,
    study_rows,
)
from clmle.studies.paper_comparison import measured, published, published_gains
from clmle.studies.statistics import reference_difference
from clmle.studies.study_figures import (
    available,
    pareto_front,
    study_figure,
    study_table,
    trials_behind,
)
from clmle.studies.study_results import StudyResults, read_study

METHODS = {"clmle": 0.9, "oversampling": 0.85, "softmax": 0.7}
TASKS = ("faces/Bald", "faces/Gray_Hair")
CELEBA = """
5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs Big_Lips Big_Nose
Black_Hair Blond_Hair Blurry Brown_Hair Bushy_Eyebrows Chubby Double_Chin Eyeglasses Goatee
Gray_Hair Heavy_Makeup High_Cheekbones Male Mouth_Slightly_Open Mustache Narrow_Eyes No_Beard
Oval_Face Pale_Skin Pointy_Nose Receding_Hairline Rosy_Cheeks Sideburns Smiling Straight_Hair
Wavy_Hair Wearing_Earrings Wearing_Hat Wearing_Lipstick Wearing_Necklace Wearing_Necktie Young
"""


def summary(variant, task, seed, value, *, ratio=1.0, seconds=10.0, counts=(90, 10), **options):
    figures = dict.fromkeys(("accuracy", "average_precision", "roc_auc", "mcc"), value / 2)
    split = {"balanced_accuracy": value, "recall": [1.0, 2 * value - 1],
             "confusion": [[90, 0], [seed, 10 - seed]]} | figures  # fmt: skip
    data = {"dataset": "faces", "attribute": task.split("/")[1], "size": "", "image_size": 8,
            "imbalance": "none" if ratio == 1 else "step", "ratio": ratio}  # fmt: skip
    train = {"backbone": "tiny", "iterations": 4, "batch_size": 8, "learning_rate": 0.1}
    return {
        "key": f"{variant}-{task}-{seed}-{ratio}", "variant": variant, "method": variant,
        "task": task, "seed": seed, "class_counts": list(counts), "test": split,
        "validation": split, "seconds": seconds, "learning_curve": [[0, 0.0, 0.5], [4, 1.0, value]],
        "machine": {"device": "an abacus", "threads": 1},
        "config": {"method": variant, "options": options, "data": data, "train": train},
    }  # fmt: skip


def study(summaries, name="leaderboard"):
    return StudyResults(name, f"{name}.jsonl", "Title", "Question?", summaries, list(METHODS))


@pytest.fixture
def three():
    rng = np.random.default_rng(0)
    return study(
        [
            summary(m, t, s, round(v + 0.02 * rng.normal(), 4), seconds=10 + 5 * i,
                    counts=(90, 10) if t.endswith("Bald") else (60, 40))
            for s, t, (i, (m, v)) in itertools.product(range(3), TASKS, enumerate(METHODS.items()))
        ]
    )  # fmt: skip


def values(s, variant, task=None):
    rows = [r for r in s.summaries if r["variant"] == variant and task in (None, r["task"])]
    return {seed: np.mean([r["test"]["balanced_accuracy"] for r in rows if r["seed"] == seed])
            for seed in sorted({r["seed"] for r in rows})}  # fmt: skip


@pytest.mark.parametrize("measure", ["balanced_accuracy", "recall_rarest"])
def test_every_available_figure_can_be_drawn_with_its_numbers(three, measure):
    assert available(three) == ["seeds", "heat", "differences", "cost", "learning_curve"]
    for name in available(three):
        found = study_figure(three, name, measure)
        assert len(found.figure.data) > 0
        assert len(found.data) > 0
        assert "3 seeds" in found.caption or "6 trials" in found.caption


def test_seeds_and_heat_map_are_means_over_tasks_and_over_seeds(three):
    data = study_figure(three, "seeds").data.set_index("variant")
    for name in METHODS:
        mine = values(three, name)
        assert [data.loc[name, f"seed {s}"] for s in mine] == pytest.approx(list(mine.values()))
        assert data.loc[name, "mean"] == pytest.approx(np.mean(list(mine.values())))
    heat = study_figure(three, "heat").data.set_index(["variant", "task"])
    mine = list(values(three, "softmax", "faces/Gray_Hair").values())
    assert heat.loc[("softmax", "Gray Hair"), "mean"] == pytest.approx(np.mean(mine))
    assert heat.loc[("softmax", "Gray Hair"), "std"] == pytest.approx(np.std(mine, ddof=1))


def test_the_heat_map_shows_an_unfinished_study(three):
    first = study(three.summaries[:4])  # one trial of the second task
    data = study_figure(first, "heat").data
    assert len(data) == 4
    with pytest.raises(InputError, match="no result yet"):
        study_figure(study([]), "heat")


def test_table_and_differences_are_paired(three):
    found = study_table(three, "oversampling").set_index("variant")
    ours, theirs = values(three, "clmle"), values(three, "oversampling")
    gain = [ours[s] - theirs[s] for s in ours]
    assert found.loc["clmle", "difference"] == pytest.approx(np.mean(gain))
    assert found.loc["clmle", "difference_low"] < np.mean(gain)
    assert np.isnan(found.loc["oversampling", "difference"])
    assert found.loc["clmle", "trials"] == 6
    shown = study_figure(three, "differences", base="oversampling").data.set_index("first")
    assert shown.loc["clmle", "mean"] == found.loc["clmle", "difference"]
    assert "oversampling" not in shown.index


def test_the_cost_figure_has_the_pareto_front_of_one_machine(three):
    data = study_figure(three, "cost", base="softmax").data.set_index("variant")
    assert data["pareto_optimal"].to_dict() == {
        "clmle": True, "oversampling": False, "softmax": False,
    }  # fmt: skip
    assert data.loc["clmle", "seconds"] == 10
    for s in three.summaries:
        if s["variant"] == "softmax":
            s["machine"] = {"device": "another", "threads": 1}
    again = three.only(three.variants)  # without the data frame of before
    assert set(study_figure(again, "cost").data["variant"]) == {"clmle", "oversampling"}


@pytest.mark.parametrize("seed", range(5))
def test_the_pareto_front_agrees_with_a_plain_search(seed):
    rng = np.random.default_rng(seed)
    points = {str(i): tuple(rng.integers(0, 6, 2).tolist()) for i in range(20)}

    def beaten(a):
        return any(
            points[b][0] <= points[a][0] and points[b][1] >= points[a][1]
            and points[b] != points[a]
            for b in points
        )  # fmt: skip

    assert pareto_front(points) == {n for n in points if not beaten(n)}


def test_ratios_are_lines_and_a_numeric_field_is_varied():
    many = study(
        [
            summary(m, TASKS[0], s, 0.9 - r / 100, ratio=r)
            for m in METHODS
            for s in range(2)
            for r in (2.0, 20.0)
        ],
        "imbalance",
    )
    data = study_figure(many, "ratio").data
    assert set(data["ratio"]) == {2.0, 20.0}
    assert data[data["ratio"] == 20.0]["balanced_accuracy"].to_list() == pytest.approx([0.7] * 6)
    sizes = StudyResults("cluster-size", "", "", "", [
        summary(f"l = {n}", TASKS[0], s, n / 1000, cluster_size=n)
        for n in (25, 50, 200) for s in range(2)
    ])  # fmt: skip
    line = study_figure(sizes, "varied").figure.data[1]
    assert list(line.x) == [25, 50, 200]
    assert list(line.y) == pytest.approx([0.025, 0.05, 0.2])


def test_a_selection_of_variants_has_their_trials_alone(three):
    two = three.only(("clmle", "softmax"))
    assert len(two.summaries) == 12
    assert set(trials_behind(two)["trial"]) == {s["key"] for s in two.summaries}
    assert trials_behind(two).equals(trials_behind(two))


# --- attributes ---------------------------------------------------------------------------------


SHIPPED = sorted((Path(__file__).parents[2] / "docs" / "results").glob("*.jsonl"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_trials_behind_a_shipped_study_are_its_lines(path):
    study = read_study(path.stem, path)
    trials = trials_behind(study)
    assert set(trials["trial"]) == {s["key"] for s in study.summaries}
    for s in study.summaries[:3]:
        own = trials[trials["trial"] == s["key"]]
        figures = s["attributes"] if s.get("attributes") else {"": s}
        wanted = [one["test"]["balanced_accuracy"] for one in figures.values() if "test" in one]
        assert sorted(own["balanced_accuracy"]) == sorted(wanted)


def test_the_default_pair_shares_trials_and_other_faces_are_other_data():
    here = [summary(n, "faces/Bald", s, v) for n, v in METHODS.items() for s in (0, 1)]
    there = [summary("softmax", "faces/Bald", 5, 0.95), summary("lmle", "faces/Bald", 5, 0.99)]
    rows = [r for name, part in (("a", here), ("b", there))
            for r in study_rows(StudyResults(name, name, name, "", part))]  # fmt: skip
    assert default_pair(attribute_frame(rows)) == ("clmle (a)", "oversampling (a)")
    named = {}
    for split in (0, 3, -1):
        one = summary("clmle", "toonfaces/Bald", 0, 0.9)
        one["config"]["data"] |= {"dataset": "toonfaces", "size": "quick", "split": split}
        named[split] = study_rows(StudyResults("a", "a", "a", "", [one]))[0]["data"]
    assert named[0] == "toonfaces quick"
    assert len(set(named.values())) == 3


def test_gain_of_each_attribute_is_paired_by_seed(three):
    frame = attribute_frame(study_rows(three))
    assert set(frame["data"]) == {"faces"}
    ours, baseline = default_pair(frame)
    assert (ours, baseline) == ("clmle (leaderboard)", "oversampling (leaderboard)")
    gain = gains(frame, ours, baseline).set_index("task")
    assert list(gain.index) == ["Gray_Hair", "Bald"]  # best balanced first
    for task in TASKS:
        a, b = values(three, "clmle", task), values(three, "oversampling", task)
        assert gain.loc[task.split("/")[1], "gain"] == pytest.approx(
            np.mean([a[s] - b[s] for s in a])
        )
    assert gain["level"].to_list() == pytest.approx([10, 40])
    mean, low, high, won = mean_gain(gain)
    assert mean == pytest.approx(gain["gain"].mean())
    assert (low, high) == (None, None)  # of two attributes
    assert won == (gain["gain"] > 0).sum()
    means = compared(frame, [ours, baseline]).set_index("attribute")
    assert means.loc["Bald", ours] == pytest.approx(
        np.mean(list(values(three, "clmle", "faces/Bald").values()))
    )
    assert means.loc["Bald", f"seeds of {ours}"] == 3
    assert confusion_of(frame, ours, "Bald") == [[270, 0], [0 + 1 + 2, 27]]


def test_studies_of_more_than_two_classes_have_no_attributes(three):
    three.summaries[0]["class_counts"] = [5, 5, 5]
    assert len(study_rows(three)) == len(three.summaries) - 1


def test_published_values_are_found_by_the_paper_s_names():
    printed = table(5).set_index("attribute")
    found = published(["Mouth_Slightly_Open", "Antlers", "Bald"])
    assert found.loc["Mouth_Slightly_Open", "CLMLE"] == printed.loc["Mouth Open", "CLMLE"] / 100
    assert found.loc["Antlers"].isna().all()
    gain = published_gains("Over-sampling").set_index("task")
    assert gain.loc["Bald", "gain"] == pytest.approx(0.95 - 0.92)
    assert gain.loc["Bald", "minority"] == pytest.approx(0.02)
    with pytest.raises(InputError, match="Table 5 has no method"):
        published_gains("magic")


def test_all_names_of_celeba_are_found_in_the_paper():
    assert len({paper_attribute(name) for name in CELEBA.split()} - {None}) == 40


# --- the paper ----------------------------------------------------------------------------------


def test_the_reference_difference_is_the_method_minus_the_variant(three):
    d = reference_difference(three, "softmax")
    a, b = values(three, "clmle"), values(three, "softmax")
    assert d.mean == pytest.approx(np.mean([a[s] - b[s] for s in a]))
    assert reference_difference(three, "clmle") is None
    assert reference_difference(three, "never run") is None
    assert reference_difference(study([]), "softmax") is None


def test_measured_rows_have_the_paper_s_names_and_trial_counts(three):
    found = measured(three, {"CLMLE": "clmle", "Magic": "magic"})
    assert found["paper"].to_list() == ["CLMLE"]
    mean = np.mean(list(values(three, "clmle").values()))
    assert found.loc[0, "balanced_accuracy"] == pytest.approx(100 * mean)
    assert found.loc[0, ["trials", "tasks", "seeds"]].to_list() == [6, 2, 3]
    assert isinstance(measured(three, {}), pandas.DataFrame)
