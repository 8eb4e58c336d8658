"""What somebody asks of a study: which one, on what, with which changes; and the cells of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from clmle.errors import InputError, quoted
from clmle.methods import get_method, method_variant
from clmle.studies.catalog import Study
from clmle.studies.study_trials import get_study, grid_study, study_trials, variant_config
from clmle.studies.trials import Trial
from clmle.studies.validation import Progress, target_names

FREE = "grid"
NUMBERS: Mapping[str, Any] = {"seeds": int, "ratios": (int, float)}  # all else are texts


@dataclass(frozen=True)
class Request:
    """A study by name, or a free ``grid`` of methods; what is empty stays the study's own.

    ``attributes`` may be ("all",), each by itself, or ("together",), all on one network. ``grid``
    holds texts such as "train.learning_rate=0.02,0.05": every variant with each of the values, of
    several texts with every combination.
    """

    study: str
    dataset: str = ""
    attributes: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    methods: tuple[str, ...] = ()
    ratios: tuple[float, ...] = ()
    grid: tuple[str, ...] = ()
    preset: str = "reference"

    def chosen(self) -> Study:
        """The study, cut down to the methods asked for."""
        for name in self.methods:
            get_method(method_variant(name)["method"])
        if self.study == FREE:
            return grid_study(self.methods or ["clmle"])
        study = get_study(self.study)
        if not self.methods:
            return study
        kept = {
            n: v
            for n, v in study.variants.items()
            if n in self.methods or _method(v) in self.methods
        }
        if not kept:
            own = dict.fromkeys(map(_method, study.variants.values()))
            raise InputError(
                f"The study {study.name} has no variant of {', '.join(self.methods)}; "
                f"its methods are: {', '.join(own)}."
            )
        return replace(study, variants=kept)

    def spelled_out(self, progress: Progress | None = None) -> Request:
        """The same with every attribute named; "all" reads the data for their names."""
        if self.attributes != ("all",):
            return self
        study = self.chosen()
        some = next(iter(study.variants.values()))
        data = variant_config(some, self.preset, self.dataset or study.dataset).data
        return replace(self, attributes=tuple(target_names(data, progress)))

    def trials(self, progress: Progress | None = None) -> list[Trial]:
        """Every cell, all names and numbers checked.

        Raises
        ------
        InputError
            A name, setting or value that does not exist.
        """
        study = self.chosen()
        together = self.attributes == ("together",)
        return study_trials(
            study,
            dataset=self.dataset,
            attributes=("all",) if together else self.spelled_out(progress).attributes,
            seeds=self.seeds,
            ratios=self.ratios,
            preset=self.preset,
            grid=grid(self.grid, bool(self.ratios or study.ratios)),
        )

    def arguments(self) -> list[str]:
        """Return the arguments of the ``clmle`` command that runs the same trials."""
        words = ["sweep"] if self.study == FREE else ["ablate", self.study]
        for name in ("dataset", "attributes", "seeds", "methods", "ratios"):
            value = getattr(self, name)
            if value:
                text = value if isinstance(value, str) else ",".join(_short(v) for v in value)
                words.append(f"--{name}={text}")
        words += [f"--set={text}" for text in self.grid]
        return words if self.preset == Request.preset else [*words, f"--preset={self.preset}"]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Request:
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


def words(text: str) -> list[str]:
    """What stands between commas, each once."""
    return list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def grid(given: Sequence[str], ratios: bool) -> list[tuple[str, str, list[str]]]:
    """(part, name, values) of every "part.name=values"; ``ratios``: the study sets its own."""
    elsewhere = {
        "train.seed": "--seeds",
        "data.attribute": "--attributes",
        "data.dataset": "--dataset",
    } | ({"data.ratio": "--ratios", "data.imbalance": "--ratios"} if ratios else {})
    found: dict[str, tuple[str, str, list[str]]] = {}
    for text in given:
        where, _, tail = text.partition("=")
        part, _, name = where.partition(".")
        if part not in ("train", "options", "data") or not name or not words(tail):
            raise InputError(
                f"--set is {text!r}, but must look like train.learning_rate=0.02,0.05, "
                "with train, options or data before the point."
            )
        if where in elsewhere:
            raise InputError(f"--set {where} is not possible; use {elsewhere[where]} for it.")
        if where in found:
            raise InputError(f"--set {where} is given twice; put all its values into one.")
        found[where] = (part, name, words(tail))
    return list(found.values())


def _method(variant: Mapping[str, Any]) -> str:
    return str(variant.get("method", "clmle"))


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
