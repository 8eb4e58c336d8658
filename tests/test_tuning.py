"""The same tuning effort: what is chosen rests on validation images alone, and effort is equal."""

from collections import Counter
from dataclasses import replace

import pytest

from clmle.experiments.page import tuned
from clmle.experiments.page.markdown import Page
from clmle.experiments.page.study import Study
from clmle.experiments.studies import STUDIES
from clmle.experiments.study_cells import study_cells
from clmle.experiments.tuning import DIALS, TRIES
from clmle.presets import preset_settings


def cell(variant, seed, validation, test):
    def figures(value):
        return {
            "balanced_accuracy": value, "accuracy": value, "average_precision": value / 2,
            "roc_auc": value, "mcc": value - 0.5, "recall": [value, value],
        }  # fmt: skip

    return {
        "key": f"{variant}{seed}", "variant": variant, "method": variant.split(",")[0],
        "task": "faces/a", "seed": seed, "class_counts": [90, 10], "seconds": 1.0,
        "validation": figures(validation), "test": figures(test), "course": [],
        "settings": {
            "data": {
                "dataset": "digits", "ratio": 1.0, "image_size": 16, "size": "quick", "split": -1,
            },
            "train": {
                "backbone": "tiny", "iterations": 4, "batch_size": 8, "learning_rate": 0.1,
            },
        },
    }  # fmt: skip


def study(cells):
    return Study("tuning-digits", "results/tuning-digits.jsonl", "Tuned", "Alike?", cells)


def cells():
    return [
        cell(name, seed, validation + 0.01 * seed, test - 0.01 * seed)
        for seed in (0, 1)
        for name, validation, test in (
            ("clmle, default", 0.8, 0.7),
            ("clmle, scale = 2", 0.9, 0.65),  # better on validation, worse on test images
            ("center, default", 0.7, 0.6),
            ("center, weight = 1", 0.6, 0.99),  # never to be chosen for its test figure
        )
    ]


def test_every_method_is_tried_equally_often_and_once_as_shipped():
    for name in ("tuning", "tuning-digits"):
        study = STUDIES[name]
        own = {c.variant: c.settings for c in study_cells(study)}
        assert set(Counter(s.method for s in own.values()).values()) == {TRIES}
        assert set(DIALS) <= {s.method for s in own.values()}
        for variant, settings in own.items():
            shipped = preset_settings("reference", settings.method, study.dataset)
            train = replace(settings.train, seed=shipped.train.seed)
            same = (settings.options, train) == (shipped.options, shipped.train)
            assert same == variant.endswith(", default")


def test_the_setting_is_chosen_on_validation_images_alone():
    chosen = tuned.chosen_settings(study(cells())).set_index("method")
    assert chosen.loc["clmle", "setting"] == "scale = 2"
    assert chosen.loc["clmle", "balanced_accuracy"] == pytest.approx(0.645)
    assert chosen.loc["clmle", "default"] == pytest.approx(0.695)
    assert chosen.loc["center", "setting"] == "default"
    assert chosen.loc["center", "balanced_accuracy"] == pytest.approx(0.595)
    assert list(chosen.index) == ["clmle", "center"]


def test_only_cells_that_every_try_has_count():
    some = [c for c in cells() if (c["variant"], c["seed"]) != ("center, default", 1)]
    chosen = tuned.chosen_settings(study(some)).set_index("method")
    assert chosen.loc["clmle", "validation"] == pytest.approx(0.9)


def test_the_section_tells_effort_choice_and_differences():
    page = Page()
    tuned.section(page, [study(cells())])
    text = page.markdown()
    assert "Settings tried for each method: 2." in text
    assert "| 1. **clmle** | scale = 2 |" in text
    assert "tuning-digits-differences.svg" in page.figures
    unequal = [c for c in cells() if c["variant"] != "center, weight = 1"]
    page = Page()
    tuned.section(page, [study(unequal)])
    assert "1 to 2 (not finished)" in page.markdown()
