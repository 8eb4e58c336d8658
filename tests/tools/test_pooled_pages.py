"""Tasks of several studies are pooled with equal weight."""

from clmle.studies.catalog import STUDIES
from tests.tools.results_folder import folder, ranking, text_of

__all__ = ["folder"]  # a fixture


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
