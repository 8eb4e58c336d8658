"""Studies: named ablations and comparisons, their trials, results and statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clmle._lazy import load_lazily

if TYPE_CHECKING:
    from clmle.studies.attributes import (
        attribute_frame,
        compared,
        confusion_of,
        default_pair,
        gains,
        mean_gain,
        published,
        published_gains,
        run_rows,
        study_rows,
        unjudged,
    )
    from clmle.studies.background import (
        BackgroundStudy,
        background_studies,
        free_name,
        resume_study,
        start_study,
    )
    from clmle.studies.catalog import STUDIES, Study
    from clmle.studies.eta import forecast
    from clmle.studies.image_scores import start_scoring, stored_scores
    from clmle.studies.margin_grid import MarginGrid, margin_grid, margin_request
    from clmle.studies.open_set import (
        Recognition,
        how_far,
        learns_identities,
        own_test,
        start_open_set_evaluation,
        stored_recognition,
    )
    from clmle.studies.paper_comparison import measured
    from clmle.studies.recognition_table import (
        paper_comparison,
        recognition_frame,
        recognition_table,
    )
    from clmle.studies.request import Request
    from clmle.studies.runner import run_study, sweep
    from clmle.studies.statistics import (
        common_block,
        complete_variants,
        gain_by_task,
        paired_difference,
        rank_correlation,
        seed_means,
        t_interval,
        trials_frame,
        variant_table,
    )
    from clmle.studies.study_figures import available, cells_behind, only, picture, study_table
    from clmle.studies.study_trials import changed, get_study, study_trials
    from clmle.studies.trials import Trial, append_result, cross, read_results, run_trial, waiting
    from clmle.studies.validation import target_names
    from clmle.studies.worth import worth

__all__ = [
    "STUDIES",
    "BackgroundStudy",
    "MarginGrid",
    "Recognition",
    "Request",
    "Study",
    "Trial",
    "append_result",
    "attribute_frame",
    "available",
    "background_studies",
    "cells_behind",
    "changed",
    "common_block",
    "compared",
    "complete_variants",
    "confusion_of",
    "cross",
    "default_pair",
    "forecast",
    "free_name",
    "gain_by_task",
    "gains",
    "get_study",
    "how_far",
    "learns_identities",
    "margin_grid",
    "margin_request",
    "mean_gain",
    "measured",
    "only",
    "own_test",
    "paired_difference",
    "paper_comparison",
    "picture",
    "published",
    "published_gains",
    "rank_correlation",
    "read_results",
    "recognition_frame",
    "recognition_table",
    "resume_study",
    "run_rows",
    "run_study",
    "run_trial",
    "seed_means",
    "start_open_set_evaluation",
    "start_scoring",
    "start_study",
    "stored_recognition",
    "stored_scores",
    "study_rows",
    "study_table",
    "study_trials",
    "sweep",
    "t_interval",
    "target_names",
    "trials_frame",
    "unjudged",
    "variant_table",
    "waiting",
    "worth",
]

load_lazily(__name__)
