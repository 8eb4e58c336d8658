"""Forwards the log of a run to trackers: line by line, each line once.

``log.json`` in the run folder holds for each tracker where its log is, how many lines of
``metrics.jsonl`` it has received, and whether it has the test metrics. A resumed run removes the
lines after its checkpoint and writes them again, equal to what they were; lines that a tracker has
are not sent again. The count is stored before lines are sent: a process that is killed in between
leaves a gap, never a duplicate.
"""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from clmle.errors import InputError
from clmle.files import from_json, write_json
from clmle.run_folder import RunFolder
from clmle.stored_json import read_checked
from clmle.tracking._base import (
    TRACKERS,
    RunImages,
    Scalars,
    Tracker,
    check_trackers,
    plain_name,
    tracker_class,
)

GROUPS = {"train": "train", "validation": "validation", "refresh": "clusters"}  # kind of a line
NO_METRICS = ("kind", "step", "round", "phase", "seconds", "warnings", "hardest")
MOST_CLASSES = 100  # with a metric each
TRACKER = {"identity": str, "lines": int, "done": bool}  # state of one


def stored_trackers(run: RunFolder) -> dict[str, dict[str, Any]]:
    """Return the trackers of a run and their state."""
    file = run.path / "log.json"
    if not file.exists():
        return {}
    tree = read_checked(file, {f"{name}?": TRACKER for name in TRACKERS})
    return {name: tree[name] for name in TRACKERS if name in tree}


class RunLog:
    """The trackers of a run, fed from its folder.

    Parameters
    ----------
    run : RunFolder
    names : iterable of str
        Trackers in addition to those that the run is logged to already.
    images : RunImages, optional
        Images of the run's data.
    class_names : sequence of str, optional
        Names of the classes, for metrics of each class.
    """

    def __init__(
        self,
        run: RunFolder,
        names: Iterable[str] = (),
        images: RunImages | None = None,
        class_names: Iterable[str] = (),
    ) -> None:
        self.run, self.class_names = run, list(class_names)
        self.state = stored_trackers(run)
        self.trackers: dict[str, Tracker] = {}
        self.offset = self.line = 0  # of the next line: byte in the file, number
        self.rounds: set[int] = set()
        self.last = Scalars(0, 0.0, {})
        for name in check_trackers([*self.state, *names]):
            state = self.state.setdefault(name, {"identity": "", "lines": 0, "done": False})
            try:
                tracker = tracker_class(name)(run, images, state["identity"])
                state["identity"] = tracker.identity()
            except Exception as error:  # of another package, which raises many types
                raise InputError(
                    f"Logging to {name} failed ({_first_line(error)}); correct its settings or "
                    "leave it out."
                ) from error
            if tracker.rewrites:
                state |= {"lines": 0, "done": False}
            self.trackers[name] = tracker
        if self.trackers:
            write_json(run.path / "log.json", self.state)

    def update(self) -> None:
        """Forward what was written since the last call."""
        if not self.trackers:
            return
        new = self._new_lines()
        end = self.line + len(new)
        fresh = {name: max(self.line, self.state[name]["lines"]) for name in self.trackers}
        if any(start < end for start in fresh.values()):
            for name in self.trackers:
                self.state[name]["lines"] = max(end, self.state[name]["lines"])
            write_json(self.run.path / "log.json", self.state)
        for number, line in enumerate(new, start=self.line):
            self.last = found = self._scalars(line)
            for name, tracker in list(self.trackers.items()):
                if number >= fresh[name]:
                    self._send(name, lambda t=tracker, f=found, x=line: _receive(t, f, x))
        self.line = end
        for round in self.run.embedding_rounds():
            if round not in self.rounds:
                self.rounds.add(round)
                for name, tracker in list(self.trackers.items()):
                    self._send(name, lambda t=tracker, r=round: t.embedding(r, self.last.step))

    def finish(self) -> None:
        """Forward the rest, then the result of a run that is done, and close the trackers."""
        if not self.trackers:
            return
        self.update()
        result = self.run.result()
        if result is not None:
            values = _numbers(result["test"], "test", self.class_names)
            found = Scalars(self.last.step, self.last.seconds, values)
            missing = {n: t for n, t in self.trackers.items() if not self.state[n]["done"]}
            for name in missing:
                self.state[name]["done"] = True
            write_json(self.run.path / "log.json", self.state)
            for name, tracker in missing.items():
                self._send(name, lambda t=tracker: t.scalars(found))
        for name, tracker in list(self.trackers.items()):
            self._send(name, lambda t=tracker: t.finish(result))
        self.trackers = {}

    def _new_lines(self) -> list[dict[str, Any]]:
        file = self.run.path / "metrics.jsonl"
        if not file.exists():
            return []
        with open(file, "rb") as opened:
            opened.seek(self.offset)
            text = opened.read()
        whole = text[: text.rfind(b"\n") + 1]
        self.offset += len(whole)
        return [line if isinstance(line, dict) else {} for line in map(_parsed, whole.splitlines())]

    def _scalars(self, line: Mapping[str, Any]) -> Scalars:
        group = GROUPS.get(str(line.get("kind")), str(line.get("kind")))
        seconds = line.get("seconds", self.last.seconds)
        kept = {name: value for name, value in line.items() if name not in NO_METRICS}
        values = _numbers(kept, group, self.class_names)
        return Scalars(int(line.get("step", self.last.step)), float(seconds), values)

    def _send(self, name: str, call: Any) -> None:
        """Call a tracker; one that fails is left out, and the run goes on."""
        try:
            call()
        except Exception as error:  # of another package, which raises many types
            self.trackers.pop(name, None)
            warnings.warn(
                f"Logging to {name} ended ({_first_line(error)}); the run goes on without it.",
                stacklevel=2,
            )


def _receive(tracker: Tracker, found: Scalars, line: dict[str, Any]) -> None:
    if found.values:
        tracker.scalars(found)
    if line.get("kind") == "validation":
        tracker.validation(line)


def _numbers(values: Mapping[str, Any], group: str, class_names: list[str]) -> dict[str, float]:
    """Return the numbers among values by name; lists with one for each class become several."""
    found: dict[str, float] = {}
    for name, value in values.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            found[plain_name(f"{group}/{name}")] = float(value)
        elif isinstance(value, list) and len(value) == len(class_names) <= MOST_CLASSES:
            for c, number in zip(class_names, value, strict=True):
                if isinstance(number, int | float):
                    found[plain_name(f"{group}/{name}/{c}")] = float(number)
    return found


def _parsed(line: bytes) -> Any:
    try:
        return from_json(line)
    except ValueError:
        return {}


def _first_line(error: Exception) -> str:
    return (str(error).strip().split("\n")[0] or type(error).__name__)[:200].rstrip(".")
