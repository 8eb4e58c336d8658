"""Endpoints of the studies of Eq. 9 from stored trials, and what their pages say."""

import numpy as np
import pytest

from clmle.studies.catalog.margin_loss import STUDIES
from clmle.studies.endpoints import endpoint_frame
from clmle.studies.margin_loss_variants import WITHOUT
from clmle.studies.study_results import StudyResults
from tools.report.margin_loss import clusters_minus, write, write_regime
from tools.report.markdown import Page


def trial(variant, seed, recall=0.5, impostors=0.3, purity=0.4, active=None):
    groups = {
        "a0": {"class": "a", "train": 900, "n": 50, "recall": 0.1},
        "b0": {"class": "b", "train": 50, "n": 50, "recall": recall},
        "b1": {"class": "b", "train": 9, "n": 50, "recall": recall + 0.2},
    }
    test = {
        "balanced_accuracy": recall, "accuracy": 0.9, "average_precision": 0.8, "roc_auc": 0.9,
        "mcc": 0.5, "recall": [0.9, recall], "subpopulations": groups,
        "minority_impostor_rate": impostors, "neighbor_purity": purity,
    }  # fmt: skip
    activity = {"first_quarter": active, "last_quarter": 0.0, "gradient_fraction": 0.1}
    return {
        "key": f"{variant}{seed}", "variant": variant, "method": "clmle", "task": "points/mode",
        "seed": seed, "class_counts": [900, 59], "test": test, "validation": test,
        "config": {
            "method": "clmle", "options": {}, "train": {"seed": seed, "split": -1},
            "data": {"ratio": 1.0, "dataset": "hidden-modes", "attribute": "mode", "split": -1},
        },
        "seconds": 1.0, "machine": {"device": "cpu"}, "learning_curve": [],
        **({"activity": activity} if active is not None else {}),
    }  # fmt: skip


def study(name, summaries):
    own = next(s for s in STUDIES if s.name == name)
    return StudyResults(name, "x.jsonl", own.title, own.question, summaries, list(own.variants))


def test_the_worst_sub_population_is_that_of_the_smallest_class():
    frame = endpoint_frame([trial(WITHOUT, 0, recall=0.4), trial("x", 0, active=0.2)])
    assert frame["worst_recall"].tolist() == [0.4, 0.5]
    assert np.isnan(frame["active_first"][0])
    assert frame["active_first"][1] == 0.2


def test_differences_are_paired_by_seed():
    summaries = []
    for seed, shift in enumerate((0.0, 0.1, 0.2)):
        summaries.append(trial(WITHOUT, seed, 0.3 + shift))
        summaries.append(trial("clusters, a1 0.5, weight 0.5", seed, 0.4 + shift, 0.2, active=0.1))
        summaries.append(trial("one cluster, a1 0.5, weight 0.5", seed, 0.35 + shift, active=0.1))
    page = Page("t")
    write(page, study("eq9-factorial", summaries))
    text = page.markdown()
    assert "+10.0 (+10.0 to +10.0)" in text  # worst recall, clusters
    assert "above zero for 2" in text
    assert "−10.0" in text  # impostors
    d = clusters_minus("one cluster", endpoint_frame(summaries), "worst_recall")
    assert d.mean == pytest.approx(0.05)
    assert "eq9-factorial.svg" in page.figures


def test_the_map_of_regimes_compares_every_size_with_its_own_control():
    summaries = []
    for seed in (0, 1):
        for size, gain in ((30, -0.1), (300, 0.1)):
            start = f"{size} minority points, "
            summaries.append(trial(start + WITHOUT, seed, 0.3))
            summaries.append(trial(start + "clusters", seed, 0.3 + gain, active=0.1))
    page = Page("t")
    write_regime(page, study("eq9-regime", summaries))
    rows = {
        line.split(" | ")[0]: line for line in page.markdown().splitlines() if "clusters" in line
    }
    assert "−10.0" in rows["| 30"]
    assert "+10.0" in rows["| 300"]
    (figure,) = page.figures.values()
    assert list(figure.data[0].x) == [30, 300]


@pytest.mark.parametrize(
    "name", ["eq9-regime-features", "eq9-features", "eq9-preregistered-features"]
)
def test_the_control_differs_by_the_weight_of_eq_9_alone(name):
    variants = next(s for s in STUDIES if s.name == name).variants
    controls = [v for v in variants if v.endswith(WITHOUT)]
    assert controls
    for control in controls:
        own, other = variants[control], variants[control.replace(WITHOUT, "clusters")]
        assert {**own["options"], "margin_weight": other["options"]["margin_weight"]} == other[
            "options"
        ]
        assert (own["train"], own["data"]) == (other["train"], other["data"])


def test_a_condition_is_compared_with_its_own_control():
    values = {WITHOUT: 0.1, "clusters": 0.2, f"noise, {WITHOUT}": 0.5, "noise, clusters": 0.8}
    summaries = [trial(name, seed, v) for name, v in values.items() for seed in (0, 1)]
    page = Page("t")
    write(page, study("eq9-preregistered-features", summaries))
    rows = {
        line.split(" | ")[0].strip("| *"): line
        for line in page.markdown().splitlines()
        if line.startswith("|")
    }
    assert "+10.0" in rows["clusters"]
    assert "+30.0" in rows["noise, clusters"]
    assert f"noise, {WITHOUT}" in rows


def test_another_method_is_shown_by_its_mean_and_not_counted():
    summaries = [
        trial(name, seed, value + 0.01 * seed * (name == "one cluster"))
        for name, value in ((WITHOUT, 0.4), ("one cluster", 0.5), ("logit-adjusted cosine", 0.9))
        for seed in (0, 1, 2)
    ]
    for summary in summaries[-3:]:
        summary["method"] = "logit-adjusted-cosine"
    page = Page("t")
    write(page, study("eq9-preregistered-identities", summaries))
    text = page.markdown()
    assert "of 1 variant the whole interval is above zero for 1" in text
    assert "| **logit-adjusted cosine** | 0.900 |" in text
