"""Training, evaluation and explanation of runs; one trainer for every method."""

from typing import TYPE_CHECKING

from clmle._lazy import load_lazily

if TYPE_CHECKING:
    from clmle.config import differences, override
    from clmle.presets import PRESETS, preset_config, preset_kind
    from clmle.run_folder import Annotation, old_runs_sentence, run_summary
    from clmle.training.deployed import export_model
    from clmle.training.embedding_atlas import write_embedding_atlas
    from clmle.training.explain import Explanation, explain
    from clmle.training.factory import embedding_task_of
    from clmle.training.model import Model, evaluate, load_model
    from clmle.training.predict import predict
    from clmle.training.prepare import config_from_dict, load_data, make_task, prepare
    from clmle.training.pretrained_features import PretrainedFeatures
    from clmle.training.reporting import Stopped
    from clmle.training.run_data import prepare_run
    from clmle.training.trainer import train

load_lazily(__name__)
