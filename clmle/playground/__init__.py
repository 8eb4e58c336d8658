"""Two-class problems on a circle or a sphere, trained in seconds and recorded frame by frame."""

from typing import TYPE_CHECKING

from clmle._lazy import load_lazily

if TYPE_CHECKING:
    from clmle.playground.classifiers import PLAYGROUND_CLASSIFIERS
    from clmle.playground.lessons import LESSONS, Attempt, Lesson, Question, Step, steps_done
    from clmle.playground.methods import (
        CLMLE_CONTROLS,
        CLUSTERS,
        DEFAULT_METHODS,
        playground_method_names,
        playground_title,
        playground_uses_clusters,
    )
    from clmle.playground.problem import PlaygroundProblem, playground_task, training_positions
    from clmle.playground.static_page import playground_page
    from clmle.playground.suggestions import suggestions
    from clmle.playground.trajectory import (
        EVERY,
        STEPS,
        Frame,
        PlaygroundRun,
        Trajectory,
        playground_grid,
        train_trajectory,
    )
    from clmle.playground.worker import PlaygroundWorker

load_lazily(__name__)
