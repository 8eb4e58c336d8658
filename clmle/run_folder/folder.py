"""One run as a folder of plain files."""

import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clmle.activity import inactivity_warning
from clmle.errors import InputError, quoted
from clmle.files import (
    as_sentence,
    atomic_path,
    from_json,
    read_arrays,
    write_arrays,
    write_json,
)
from clmle.jobs.process import birth, is_running
from clmle.run_folder import kinds
from clmle.run_folder.annotation import Annotation, read_annotation, write_annotation
from clmle.stored_json import check, damaged, read_checked

ACTIVE = ("queued", "running")
STATES = (*ACTIVE, "done", "stopped", "failed", "lost")


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run: config, status, metrics, features, weights and result.

    It holds nothing but its path: every method reads or writes a file.

    Parameters
    ----------
    path : pathlib.Path
        Path of the folder.

    See Also
    --------
    create_run, open_run, list_runs

    Examples
    --------
    >>> import tempfile
    >>> from clmle import create_run, preset_config
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = create_run(folder, preset_config("quick", "softmax", "digits").to_dict())
    ...     run.config()["method"], run.status()["state"], run.result()
    ('softmax', 'queued', None)
    """

    path: Path

    @property
    def name(self) -> str:
        """Name of the run, that of its folder."""
        return self.path.name

    @property
    def checkpoint_path(self) -> Path:
        """Path of the checkpoint."""
        return self.path / "checkpoint.safetensors"

    @property
    def model_path(self) -> Path:
        """Path of the weights of the best round."""
        return self.path / "model.safetensors"

    def config(self) -> dict[str, Any]:
        """The configuration as plain values."""
        return read_checked(self.path / "config.json", kinds.CONFIG)

    def data_facts(self) -> dict[str, Any] | None:
        """Class names and fingerprints of the data; None before the first start."""
        file = self.path / "data.json"
        return read_checked(file, kinds.DATA) if file.exists() else None

    @property
    def value_range(self) -> tuple[float, float] | None:
        """Values of images with more than 8 bits that are black and white for the run."""
        found = (self.data_facts() or {}).get("value_range")
        return (float(found[0]), float(found[1])) if found else None

    def write_data_facts(self, facts: dict[str, Any]) -> None:
        """Store what :meth:`data_facts` returns."""
        write_json(self.path / "data.json", facts)

    def status(self) -> dict[str, Any]:
        """State of the run; ``lost`` if its process ended without a message.

        Keys: state (queued, running, done, stopped, failed, lost), phase (a few words),
        step, total, seconds (spent), seconds_left, message, pid, born (start time of that
        process as the system reports it), updated (Unix time).
        """
        file = self.path / "status.json"
        if not file.exists():
            return {"state": "queued", "phase": "waiting", "step": 0, "total": 0}
        status = {"phase": "", "step": 0, "total": 0, **read_checked(file, kinds.STATUS)}
        if status["state"] not in STATES:
            raise damaged(file, f"state {quoted(status['state'])}")
        process = (status.get("pid"), status.get("born"), status.get("updated", 0))
        if status["state"] in ACTIVE and not is_running(*process):
            status["state"] = "lost"
            status["message"] = "The process ended without a message; resume the run to continue."
        return status

    def write_status(self, **values: Any) -> None:
        """Replace the status; ``pid`` is this process unless given."""
        pid = values.get("pid", os.getpid())
        stamp = {"updated": time.time(), "pid": pid, "born": birth(pid)}
        write_json(self.path / "status.json", stamp | values)

    def result(self) -> dict[str, Any] | None:
        """Test metrics, or None until the run is done."""
        file = self.path / "result.json"
        return read_checked(file, kinds.RESULT) if file.exists() else None

    def write_result(self, result: dict[str, Any]) -> None:
        """Write the result; the run is done."""
        write_json(self.path / "result.json", result)

    def annotation(self) -> Annotation:
        """Name, tags and note that a reader gave the run."""
        return read_annotation(self.path)

    def annotate(
        self,
        *,
        title: str | None = None,
        tags: Iterable[str] | None = None,
        note: str | None = None,
    ) -> Annotation:
        """Change name, tags or note; what is None stays as it is."""
        return write_annotation(self.path, title, tags, note)

    def damage(self) -> str:
        """What is damaged in the folder, as a sentence; empty for a whole one."""
        try:
            self.config()
            self.data_facts()
            self.annotation()
            if self.status()["state"] == "done" and self.result() is None:
                raise InputError(f"{self.path} is done but has no result.json; restore it.")
            self.result()
        except InputError as error:
            return str(error)
        return ""

    def metrics(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Lines of the metrics file, without those that are damaged or half-written.

        ``kind`` "train" (step, loss, learning_rate, ...) or "validation"
        (step, round, balanced_accuracy, recall, ...) keeps only those.
        """
        file = self.path / "metrics.jsonl"
        if not file.exists():
            return []
        lines = []
        for text in file.read_text(encoding="utf-8", errors="replace").splitlines():
            with suppress(ValueError):
                line = from_json(text)
                if isinstance(line, dict):
                    check(file, line, kinds.LINES.get(str(line.get("kind")), {}))
                    check(file, [v for v in line.values() if type(v) is int], [int, None])
                    lines.append(line)
        return [line for line in lines if kind is None or line.get("kind") == kind]

    def warnings(self) -> list[str]:
        """Sentences about the training that its reader should know, such as an inactive loss."""
        found = inactivity_warning(self.metrics("train"))
        rounds = self.metrics("validation")
        best: dict[str, Any] = max(
            reversed(rounds), key=lambda line: line["balanced_accuracy"], default={}
        )
        return [*best.get("warnings", ()), *([found] if found else [])]

    def append_metrics(self, **values: Any) -> None:
        """Append one line to the metrics file."""
        file = self.path / "metrics.jsonl"
        try:
            with open(file, "a", encoding="utf-8") as out:
                out.write(json.dumps(values) + "\n")
        except OSError as error:
            raise as_sentence(error, file) from error

    def sync_metrics(self) -> int:
        """Number of metrics lines, all of which are on the disk now."""
        file = self.path / "metrics.jsonl"
        if not file.exists():
            return 0
        with open(file, "rb+") as written:
            os.fsync(written.fileno())
            return sum(1 for _ in written)

    def truncate_metrics(self, lines: int) -> None:
        """Keep the first ``lines``; a resumed run writes the others again."""
        file = self.path / "metrics.jsonl"
        kept = file.read_bytes().splitlines(keepends=True)[:lines] if file.exists() else []
        if len(kept) < lines or any(not line.endswith(b"\n") for line in kept):
            raise InputError(
                f"{file} has lost lines: the checkpoint counts {lines:,}. Restore it, or remove "
                f"{self.checkpoint_path.name} to train from the beginning."
            )
        with atomic_path(file) as temporary:
            temporary.write_bytes(b"".join(kept))

    def embedding_rounds(self) -> list[int]:
        """Rounds with stored features; 0 is before the first step of the method."""
        numbers = (f.stem.removeprefix("round_") for f in self.path.glob("embeddings/round_*.npz"))
        return sorted(int(n) for n in numbers if n.isdecimal())

    def embedding(self, round: int) -> dict[str, np.ndarray]:
        """Arrays of one stored round.

        ``features`` (m, d) float32 unit rows, ``rows`` (m,) indices into the data set,
        ``labels`` (m,), ``clusters`` (m,) cluster number or -1 for test images,
        ``split`` (m,) 0 train, 1 validation, 2 test.

        Raises
        ------
        InputError
            The file cannot be read, or holds other arrays than these.
        """
        file = self.path / "embeddings" / f"round_{round:02d}.npz"
        found = read_arrays(file)
        features = found.get("features", np.empty(0))
        if features.ndim != 2 or features.dtype.kind != "f":
            raise InputError(f"{file} is damaged (no features); remove it and train again.")
        for name in ("rows", "labels", "clusters", "split"):
            values = found.get(name, np.empty(0))
            if values.shape != features.shape[:1] or values.dtype.kind not in "iu":
                raise InputError(
                    f"{file} is damaged ({name} is no whole number for each of its "
                    f"{len(features):,} features); remove it and train again."
                )
        return found

    def write_embedding(self, round: int, **arrays: np.ndarray) -> None:
        """Store the arrays of one round, see :meth:`embedding`."""
        write_arrays(self.path / "embeddings" / f"round_{round:02d}.npz", arrays)

    def clusters(self) -> dict[str, np.ndarray] | None:
        """``centroids`` (K, d), ``classes`` (K,), ``sizes`` (K,), or None without clusters."""
        file = self.path / "clusters.npz"
        return read_arrays(file) if file.exists() else None

    def write_clusters(self, **arrays: np.ndarray) -> None:
        """Store the clusters of the best round."""
        write_arrays(self.path / "clusters.npz", arrays)

    def request_stop(self) -> None:
        """Ask the run to save a checkpoint and end after its current step."""
        (self.path / "stop").touch()

    def stop_requested(self) -> bool:
        """Return whether the run was asked to stop."""
        return (self.path / "stop").exists()

    def clear_stop(self) -> None:
        """Remove the request to stop."""
        (self.path / "stop").unlink(missing_ok=True)


class ReadOnlyRunFolder(RunFolder):
    """A run folder that is not written, for all processes of a distributed run but the main one.

    Only a request to stop is written.
    """

    def _skip(self, *_: Any, **__: Any) -> Any:
        pass

    write_status = write_result = append_metrics = truncate_metrics = sync_metrics = _skip
    write_embedding = write_clusters = write_data_facts = clear_stop = _skip
