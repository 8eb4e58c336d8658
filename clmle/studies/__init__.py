"""Studies: named ablations and comparisons, their trials, results and statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clmle._lazy import load_lazily

# fmt: off
if TYPE_CHECKING:
    from clmle.studies.attributes import (
        ATTRIBUTE_METRICS,
        attribute_frame,
        compared,
        confusion_of,
        default_pair,
        gains,
        mean_gain,
        run_rows,
        study_rows,
        without_metrics,
    )
    from clmle.studies.background import (
        BackgroundStudy,
        background_studies,
        free_name,
        resume_study,
        start_study,
    )
    from clmle.studies.catalog import STUDIES, get_study
    from clmle.studies.convergence import LearningCurve, learning_curves
    from clmle.studies.eta import forecast
    from clmle.studies.execution import run_trial
    from clmle.studies.image_scores import start_scoring, stored_scores
    from clmle.studies.margin_grid import MARGIN_PREFIX, MarginGrid, margin_grid, margin_request
    from clmle.studies.open_set import (
        Recognition,
        evaluate_open_set,
        how_far,
        learns_identities,
        own_test,
        start_open_set_evaluation,
        stored_recognition,
    )
    from clmle.studies.open_set_table import OPEN_SET_METRICS, open_set_frame, open_set_table
    from clmle.studies.paper_comparison import (
        ATTRIBUTE_METHODS,
        COMPONENTS,
        measured,
        paper_comparison,
        published,
        published_gains,
    )
    from clmle.studies.request import FREE, StudyRequest
    from clmle.studies.results import append_result, read_results
    from clmle.studies.runner import run_study, run_trials
    from clmle.studies.spec import Study
    from clmle.studies.statistics import (
        Difference,
        common_block,
        complete_variants,
        each_task,
        gain_by_task,
        paired_difference,
        rank_correlation,
        reference_difference,
        seed_means,
        t_interval,
        trials_frame,
        variant_table,
    )
    from clmle.studies.study_figures import (
        FIGURE_LABELS,
        METRIC_LABELS,
        StudyFigure,
        available,
        study_figure,
        study_table,
        trials_behind,
    )
    from clmle.studies.study_results import (
        StudyResults,
        described,
        read_studies,
        read_study,
        task_label,
    )
    from clmle.studies.trials import Trial, changed, cross, pending, study_trials
    from clmle.studies.validation import target_names

__all__ = [
    "ATTRIBUTE_METHODS",
    "ATTRIBUTE_METRICS",
    "COMPONENTS",
    "FIGURE_LABELS",
    "FREE",
    "MARGIN_PREFIX",
    "METRIC_LABELS",
    "OPEN_SET_METRICS",
    "STUDIES",
    "BackgroundStudy",
    "Difference",
    "LearningCurve",
    "MarginGrid",
    "Recognition",
    "Study",
    "StudyFigure",
    "StudyRequest",
    "StudyResults",
    "Trial",
    "append_result",
    "attribute_frame",
    "available",
    "background_studies",
    "changed",
    "common_block",
    "compared",
    "complete_variants",
    "confusion_of",
    "cross",
    "default_pair",
    "described",
    "each_task",
    "evaluate_open_set",
    "forecast",
    "free_name",
    "gain_by_task",
    "gains",
    "get_study",
    "how_far",
    "learning_curves",
    "learns_identities",
    "margin_grid",
    "margin_request",
    "mean_gain",
    "measured",
    "open_set_frame",
    "open_set_table",
    "own_test",
    "paired_difference",
    "paper_comparison",
    "pending",
    "published",
    "published_gains",
    "rank_correlation",
    "read_results",
    "read_studies",
    "read_study",
    "reference_difference",
    "resume_study",
    "run_rows",
    "run_study",
    "run_trial",
    "run_trials",
    "seed_means",
    "start_open_set_evaluation",
    "start_scoring",
    "start_study",
    "stored_recognition",
    "stored_scores",
    "study_figure",
    "study_rows",
    "study_table",
    "study_trials",
    "t_interval",
    "target_names",
    "task_label",
    "trials_behind",
    "trials_frame",
    "variant_table",
    "without_metrics",
]
# fmt: on

load_lazily(__name__)
