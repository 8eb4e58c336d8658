"""A study by name together with the changes that a user asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from clmle.config import PARTS
from clmle.errors import InputError, quoted
from clmle.methods import get_method, method_variant
from clmle.studies.catalog import get_study
from clmle.studies.spec import Study, methods
from clmle.studies.trials import Trial, study_trials, variant_config
from clmle.studies.validation import Progress, target_names
from clmle.text import words

FREE = "grid"
NUMBERS: Mapping[str, Any] = {"seeds": int, "ratios": (int, float)}  # the other fields are texts


@dataclass(frozen=True)
class StudyRequest:
    """A study by name, or a free grid of methods; an empty field keeps the study's own value.

    >>> len(StudyRequest("grid", "digits", seeds=(0, 1), grid=("options.scale=4,8",)).trials())
    4
    """

    study: str  # or "grid"
    dataset: str = ""
    # ("all",): each attribute by itself; ("together",): one multi-label run of all attributes
    attributes: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    methods: tuple[str, ...] = ()  # only the variants of these methods
    ratios: tuple[float, ...] = ()
    grid: tuple[str, ...] = ()  # "part.name=value,value": variants with every combination of values
    preset: str = "reference"
    imbalance: str = ""  # kind of imbalance of the ratios
    calibration: str = ""  # of every variant, so that they are compared alike

    def selected(self) -> Study:
        """The study with the variants of the requested methods alone."""
        if self.study == FREE:
            variants = methods(*(self.methods or ("clmle",)))
            return Study(FREE, "A free grid", "Which of these is best?", variants, ratios=())
        return restrict(get_study(self.study), self.methods)

    def with_attributes(self, progress: Progress | None = None) -> StudyRequest:
        """The same request with "all" replaced by the attributes of the data set."""
        if self.attributes != ("all",):
            return self
        study = self.selected()
        first = next(iter(study.variants.values()))
        data = variant_config(first, self.preset, self.dataset or study.dataset).data
        return replace(self, attributes=tuple(target_names(data, progress)))

    def trials(self, progress: Progress | None = None) -> list[Trial]:
        """Every trial, all names and values checked."""
        study = self.selected()
        if self.imbalance and not (self.ratios or study.ratios):
            raise InputError("--imbalance is the kind of the ratios; give --ratios, too.")
        together = self.attributes == ("together",)
        return study_trials(
            study,
            dataset=self.dataset,
            attributes=("all",) if together else self.with_attributes(progress).attributes,
            seeds=self.seeds,
            ratios=self.ratios,
            imbalance=self.imbalance,
            calibration=self.calibration,
            preset=self.preset,
            grid=parse_grid(self.grid, bool(self.ratios or study.ratios)),
        )

    def arguments(self) -> list[str]:
        """The arguments of the ``clmle`` command that runs the same trials."""
        arguments = ["sweep"] if self.study == FREE else ["ablate", self.study]
        for f in fields(self):
            name, value = f.name, getattr(self, f.name)
            if name in ("study", "grid", "preset"):
                continue
            if value:
                text = value if isinstance(value, str) else ",".join(_short(v) for v in value)
                arguments.append(f"--{name}={text}")
        arguments += [f"--set={text}" for text in self.grid]
        default = self.preset == StudyRequest.preset
        return arguments if default else [*arguments, f"--preset={self.preset}"]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> StudyRequest:
        """The request that :meth:`to_dict` wrote, or an InputError."""
        kept: dict[str, Any] = {}
        for f in fields(cls):
            if f.name not in values:
                continue
            value, several = values[f.name], isinstance(f.default, tuple)
            kind = NUMBERS.get(f.name, str)
            given = value if several and isinstance(value, list | tuple) else [value]
            if not all(isinstance(v, kind) for v in given):
                raise InputError(f"This is no request for a study ({f.name} is {quoted(value)}).")
            kept[f.name] = tuple(given) if several else value
        if "study" not in kept:
            raise InputError("This is no request for a study (it names none).")
        return cls(**kept)


def restrict(study: Study, names: Sequence[str]) -> Study:
    """The study with the variants of these methods alone; all of them if there are no names."""
    for name in names:
        get_method(method_variant(name)["method"])
    kept = {
        n: v for n, v in study.variants.items() if not names or n in names or _method(v) in names
    }
    if not kept:
        own = dict.fromkeys(map(_method, study.variants.values()))
        raise InputError(
            f"The study {study.name} has no variant of {', '.join(names)}; "
            f"its methods are: {', '.join(own)}."
        )
    return replace(study, variants=kept)


def parse_grid(given: Sequence[str], ratios: bool) -> list[tuple[str, str, list[str]]]:
    """(part, name, values) of every "part.name=values"; ``ratios``: the study sets the ratio."""
    elsewhere = {
        "train.seed": "--seeds",
        "data.attribute": "--attributes",
        "data.dataset": "--dataset",
    } | ({"data.ratio": "--ratios"} if ratios else {})
    found: dict[str, tuple[str, str, list[str]]] = {}
    for text in given:
        where, _, tail = text.partition("=")
        part, _, name = where.partition(".")
        if part not in PARTS or not name or not words(tail):
            raise InputError(
                f"--set is {text!r}, but must look like train.learning_rate=0.02,0.05, "
                "with train, options or data before the point."
            )
        if where in elsewhere:
            raise InputError(f"--set {where} is not possible; use {elsewhere[where]} for it.")
        if ratios and where == "data.imbalance" and "none" in words(tail):
            raise InputError("--set data.imbalance=none is not possible with ratios; leave it out.")
        if where in found:
            raise InputError(f"--set {where} is given twice; put all its values into one.")
        found[where] = (part, name, words(tail))
    return list(found.values())


def _method(variant: Mapping[str, Any]) -> str:
    return str(variant.get("method", "clmle"))


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
