"""Training: one engine for every method."""

from clmle.training.engine import train
from clmle.training.judgement import Judgement, judge
from clmle.training.kinds import shown_of
from clmle.training.model import EmbeddingModel, evaluate, load_model
from clmle.training.prepare import load_data, prepare, settings_from_dict
from clmle.training.reporting import Stopped

__all__ = [
    "EmbeddingModel",
    "Judgement",
    "Stopped",
    "evaluate",
    "judge",
    "load_data",
    "load_model",
    "prepare",
    "settings_from_dict",
    "shown_of",
    "train",
]
