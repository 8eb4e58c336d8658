"""Loss of power at any moment: only what was synced is on the disk, and the run continues.

The model: names of files are those of the moment (a file system journals them), the content of a
file is what it had at its last fsync, followed by any part of what was written since.
"""

import os
import random

import pytest

from clmle.files import read_json
from clmle.presets import preset_config
from clmle.run_folder import RunFolder, create_run
from clmle.studies.results import append_result, intact_results
from clmle.training import train
from clmle.training.checkpoint import load_tensors
from tests.studies.test_runner import LONG, SHORT, whole


class Recorder:
    """Folders as they are after a loss of power at each fsync and each renaming."""

    def __init__(self, folder, monkeypatch):
        self.folder, self.synced, self.moments = folder, {}, []
        self.draw = random.Random(0)
        fsync, replace = os.fsync, os.replace

        def synced(file):
            self.moment()  # before it
            fsync(file)
            state = os.fstat(file)
            with open(f"/proc/self/fd/{file}", "rb") as content:
                self.synced[state.st_ino] = content.read()

        def renamed(old, new, **more):
            self.moment()
            replace(old, new, **more)
            self.moment()

        monkeypatch.setattr(os, "fsync", synced)
        monkeypatch.setattr(os, "replace", renamed)

    def moment(self):
        files = {}
        for path in self.folder.rglob("*"):
            if path.is_file():
                now, kept = path.read_bytes(), self.synced.get(path.stat().st_ino, b"")
                more = now[len(kept) :] if now.startswith(kept) else b""
                kept += more[: self.draw.choice((0, len(more) // 2, len(more)))]
                files[path.relative_to(self.folder)] = kept
        if not self.moments or files != self.moments[-1]:
            self.moments.append(files)

    def restored(self, home):
        """The folder after each loss."""
        for i, files in enumerate(self.moments):
            for path, content in files.items():
                (home / str(i) / path).parent.mkdir(parents=True, exist_ok=True)
                (home / str(i) / path).write_bytes(content)
            yield home / str(i)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="files are found in /proc")
def test_a_run_continues_after_a_loss_of_power_at_any_moment(tmp_path, monkeypatch):
    config = preset_config("quick", "softmax", "digits").to_dict()
    config["train"].update(iterations=6, rounds=3, batch_size=60, pretrain_iterations=2, threads=1,
                           backbone="tiny")  # fmt: skip
    with monkeypatch.context() as patches:
        recorder = Recorder(tmp_path / "runs", patches)
        run = create_run(tmp_path / "runs", config)
        wanted = train(run)
    with_checkpoint = []
    for folder in recorder.restored(tmp_path / "lost"):
        lost = RunFolder(folder / run.name)
        for name in ("config.json", "status.json", "result.json", "data.json"):
            if (lost.path / name).exists():
                read_json(lost.path / name)  # whole or absent
        lost.metrics()
        if lost.checkpoint_path.exists():
            facts = load_tensors(lost.checkpoint_path)[1]
            lines = (lost.path / "metrics.jsonl").read_bytes().count(b"\n")
            assert lines >= facts["lines"], "a checkpoint counts lines that are not on the disk"
            with_checkpoint.append(lost)
    assert len(with_checkpoint) > 3
    last = with_checkpoint[len(with_checkpoint) // 2]
    (last.path / "result.json").unlink(missing_ok=True)
    assert train(last)["test"] == wanted["test"]


def test_results_are_whole_lines_after_a_loss_of_power(tmp_path, monkeypatch):
    file = tmp_path / "study" / "r.jsonl"
    file.parent.mkdir()
    with monkeypatch.context() as patches:
        recorder = Recorder(file.parent, patches)
        for trial in (SHORT, LONG):
            append_result(file, whole(trial))
            recorder.moment()
    counts = []
    for folder in recorder.restored(tmp_path / "lost"):
        found, damaged = intact_results(folder / "r.jsonl")
        assert not damaged
        counts.append(len(found))
    assert counts[-1] == 2
    assert counts == sorted(counts)
