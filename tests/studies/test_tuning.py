"""Equal tuning: as many tries for each method, chosen on validation images alone."""

from collections import Counter
from dataclasses import replace

import pytest

from clmle.presets import preset_config
from clmle.studies.catalog import STUDIES
from clmle.studies.catalog.tuning import MAIN_OPTION
from clmle.studies.study_results import StudyResults
from clmle.studies.trials import study_trials
from tools.report import tuning
from tools.report.markdown import Page


def trial(variant, seed, validation, test):
    def figures(value):
        return {
            "balanced_accuracy": value, "accuracy": value, "average_precision": value / 2,
            "roc_auc": value, "mcc": value - 0.5, "recall": [value, value],
        }  # fmt: skip

    return {
        "key": f"{variant}{seed}", "variant": variant, "method": variant.split(",")[0],
        "task": "faces/a", "seed": seed, "class_counts": [90, 10], "seconds": 1.0,
        "validation": figures(validation), "test": figures(test), "learning_curve": [],
        "config": {
            "data": {
                "dataset": "digits", "ratio": 1.0, "image_size": 16, "size": "quick", "split": -1,
            },
            "train": {
                "backbone": "tiny", "iterations": 4, "batch_size": 8, "learning_rate": 0.1,
            },
        },
    }  # fmt: skip


def study(trials):
    return StudyResults("tuning-digits", "results/tuning-digits.jsonl", "Tuned", "Alike?", trials)


def trials():
    return [
        trial(name, seed, validation + 0.01 * seed, test - 0.01 * seed)
        for seed in (0, 1)
        for name, validation, test in (
            ("clmle, default", 0.8, 0.7),
            ("clmle, scale = 2", 0.9, 0.65),  # better on validation, worse on test images
            ("center, default", 0.7, 0.6),
            ("center, weight = 1", 0.6, 0.99),  # not chosen, whatever its test metric
        )
    ]


def test_every_method_has_as_many_tries_and_one_with_defaults():
    for name in ("tuning", "tuning-digits"):
        study = STUDIES[name]
        own = {c.variant: c.config for c in study_trials(study)}
        assert set(Counter(name.rsplit(", ", 1)[0] for name in own).values()) == {4}
        assert set(MAIN_OPTION) <= {s.method for s in own.values()}
        for variant, config in own.items():
            shipped = preset_config("reference", config.method, study.dataset)
            train = replace(
                config.train, seed=shipped.train.seed, calibration=shipped.train.calibration
            )
            same = (config.options, train) == (shipped.options, shipped.train)
            assert same == variant.endswith(", default")


def test_the_configuration_is_chosen_on_validation_images_alone():
    chosen = tuning.chosen_config(study(trials())).set_index("method")
    assert chosen.loc["clmle", "setting"] == "scale = 2"
    assert chosen.loc["clmle", "balanced_accuracy"] == pytest.approx(0.645)
    assert chosen.loc["clmle", "default"] == pytest.approx(0.695)
    assert chosen.loc["center", "setting"] == "default"
    assert chosen.loc["center", "balanced_accuracy"] == pytest.approx(0.595)
    assert list(chosen.index) == ["clmle", "center"]


def test_a_configuration_that_did_not_train_with_every_seed_is_not_chosen():
    whole = tuning.chosen_config(study(trials())).set_index("method")
    some = [c for c in trials() if (c["variant"], c["seed"]) != ("center, default", 1)]
    chosen = tuning.chosen_config(study(some)).set_index("method")
    assert whole.loc["center", "setting"] == "default"
    assert chosen.loc["center", "setting"] == "weight = 1"
    assert chosen.loc["center", "tries"] == 1
    assert chosen.loc["clmle", "validation"] == whole.loc["clmle", "validation"]


def test_other_seeds_choose_the_configuration_of_a_seed():
    validation = {"focal, default": (0.9, 0.1, 0.5), "focal, gamma = 3": (0.2, 0.8, 0.6)}
    made = [
        trial(name, seed, value, 0.5 + seed / 10 + ("gamma" in name) / 100)
        for name, values in validation.items()
        for seed, value in enumerate(values)
    ]
    # Means of the other seeds: 0.30 and 0.70, 0.70 and 0.40, 0.50 and 0.50 (the default).
    found = tuning.chosen_on_other_seeds(study(made + trials_of("clmle", (0, 1, 2))))
    assert found["focal"] == pytest.approx((0.51 + 0.6 + 0.7) / 3)
    assert found["clmle"] == pytest.approx(0.7)


def trials_of(method, seeds):
    return [trial(f"{method}, default", seed, 0.6, 0.7) for seed in seeds]


def test_a_seed_that_only_some_methods_have_does_not_count():
    some = [c for c in trials() if (c["method"], c["seed"]) != ("center", 1)]
    chosen = tuning.chosen_config(study(some)).set_index("method")
    assert chosen.loc["clmle", "validation"] == pytest.approx(0.9)
    assert chosen.loc["center", "tries"] == 2


def test_the_page_has_effort_choice_and_differences():
    page = Page("Tuned")
    tuning.write(page, study(trials()))
    text = page.markdown()
    assert "Configurations trained for each method: 2;" in text
    assert "| 1. **clmle (single-label preset)** | scale = 2 |" in text
    assert "tuning-digits-differences.svg" in page.figures
    unequal = [c for c in trials() if c["variant"] != "center, weight = 1"]
    page = Page("Tuned")
    tuning.write(page, study(unequal))
    assert "Configurations trained for each method: 1 to 2;" in page.markdown()


def test_other_problems_choose_the_configuration_of_a_problem():
    def problem(**found):
        return study(
            [trial(f"clmle, {s}", seed, *values) for s, values in found.items() for seed in (0, 1)]
        )

    chosen = tuning.chosen_on_other_problems(
        {
            "first": problem(default=(0.8, 0.70), slow=(0.9, 0.65), wild=(0.99, 0.9)),
            "second": problem(default=(0.55, 0.10), slow=(0.4, 0.20)),  # wild diverged here
            "third": problem(default=(0.6, 0.30), slow=(0.65, 0.40), wild=(0.9, 0.9)),
        }
    )
    # Means on the other problems, default and slow: 0.575 and 0.525, 0.7 and 0.775, 0.675 and 0.65.
    assert {n: values.to_dict() for n, values in chosen.items()} == {
        "first": {"clmle": pytest.approx(0.70)},
        "second": {"clmle": pytest.approx(0.20)},
        "third": {"clmle": pytest.approx(0.30)},
    }
