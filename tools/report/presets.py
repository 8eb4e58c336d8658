"""CLMLE's presets are different methods: its results name the preset they come from."""

from clmle.config import Config, DataConfig
from clmle.presets import preset_kind
from clmle.studies.study_results import FAMILY, OURS, StudyResults


def preset_of(study: StudyResults) -> str:
    """Kind of CLMLE's preset that the trials use: single-label, multi-label or open-set."""
    data = (s["config"]["data"] for s in study.summaries)
    given = dict.fromkeys((d["dataset"], d.get("attribute", "")) for d in data)
    configs = (Config(data=DataConfig(dataset=d, attribute=a)) for d, a in given)
    return ", ".join(dict.fromkeys(map(preset_kind, configs)))


def labeled(study: StudyResults, variant: str) -> str:
    """Name of a variant in tables: for CLMLE itself, with the kind of its preset."""
    return f"{variant} ({preset_of(study)} preset)" if variant in FAMILY else variant


def emphasized(study: StudyResults, variant: str) -> str:
    """The label of a variant, in bold for CLMLE itself."""
    return f"**{labeled(study, variant)}**" if variant == OURS else labeled(study, variant)
