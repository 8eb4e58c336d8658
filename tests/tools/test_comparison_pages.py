"""Pages of comparisons claim what every interval says, also defeats."""

import re

import pytest

from tests.tools.results_folder import OURS, folder, ranking, text_of

__all__ = ["folder"]  # a fixture


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
