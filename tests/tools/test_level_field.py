"""The page of the level field: ranks over problems, and balanced validation images apart."""

import pytest

from clmle.studies.study_results import StudyResults
from tests.studies.test_tuning import trial
from tools.report import level_field
from tools.report.markdown import Page


def study(name, **test):
    """Results of each method by its test balanced accuracy."""
    trials = [
        trial(f"{method}, default", seed, 0.5, value)
        for method, value in test.items()
        for seed in (0, 1, 2)
    ]
    return StudyResults(name, f"results/{name}.jsonl", name, "?", trials)


@pytest.fixture
def studies():
    return [
        study("tuning-features", clmle=0.7, focal=0.6, softmax=0.5),
        study("tuning-points", clmle=0.8, focal=0.9, softmax=0.7),
        study("tuning-features-balanced", clmle=0.6, focal=0.7, softmax=0.5),
    ]


def test_ranks_are_means_over_problems(studies):
    ranks = level_field.ranks(level_field.accuracies(studies))
    assert ranks["mean"].to_dict() == {"clmle": 1.5, "focal": 1.5, "softmax": 3.0}
    assert level_field.place(ranks) == 1


def test_balanced_validation_images_have_their_own_table(studies):
    page = Page("Field")
    level_field.write(page, studies)
    text = page.markdown()
    assert "over 2 problems" in text  # the third study is no problem of the ranks
    second = text.split("## Balanced validation images")[1]
    assert "rank correlation of the two columns 0.50" in second
    assert "| **clmle** | 0.700 (1) | 0.600 (2) |" in second
    page = Page("Field")
    level_field.write(page, studies[:2])
    assert "Balanced validation" not in page.markdown()
