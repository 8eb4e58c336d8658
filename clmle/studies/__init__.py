"""Studies: named ablations and comparisons, their trials, results and statistics."""

from typing import TYPE_CHECKING

from clmle._lazy import load_lazily

if TYPE_CHECKING:
    from clmle.config import changed
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
    from clmle.studies.baselines import comparison_summary
    from clmle.studies.catalog import STUDIES, get_study
    from clmle.studies.claims import CLAIM_METRICS, ClaimResult, claim_results
    from clmle.studies.convergence import LearningCurve, learning_curves
    from clmle.studies.eta import forecast
    from clmle.studies.execution import run_trial
    from clmle.studies.image_probabilities import (
        ImageProbabilities,
        SplitProbabilities,
        image_probabilities,
    )
    from clmle.studies.image_scores import (
        ImageScores,
        score_images,
        scoring_progress,
        start_scoring,
        stored_scores,
    )
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
    from clmle.studies.shipped import shipped_results
    from clmle.studies.spec import Study
    from clmle.studies.statistics import (
        Difference,
        common_block,
        complete_variants,
        each_task,
        gain_by_task,
        metric_interval,
        paired_difference,
        rank_correlation,
        reference_difference,
        seed_means,
        trials_frame,
        variant_table,
    )
    from clmle.studies.study_figures import (
        FIGURE_LABELS,
        METRIC_LABELS,
        StudyFigure,
        available,
        printed_table,
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
    from clmle.studies.suggestions import Suggestion, Suggestions, suggest
    from clmle.studies.trials import Trial, cross, pending, study_trials
    from clmle.studies.validation import check_trials, target_names

load_lazily(__name__)
