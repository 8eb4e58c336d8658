"""Deleted runs come back as they were, and go for good only by age or on request."""

import os
import time

import pytest

from clmle.errors import InputError
from clmle.jobs import empty_trash, restore_runs, trash_runs, trashed
from clmle.presets import preset_config
from clmle.run_folder import create_run, list_runs

CONFIG = preset_config("quick", "softmax", "digits").to_dict()


@pytest.fixture
def root(tmp_path):
    return tmp_path / "runs"


@pytest.fixture
def runs(root):
    made = [create_run(root, CONFIG) for _ in range(3)]
    for run in made:
        run.write_status(state="stopped", step=1, total=2)
    return made


def files(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_undo_restores_every_file_of_the_latest_deletion(root, runs):
    before = files(root)
    trash_runs(runs[:1])
    trash_runs(runs[1:])
    assert list_runs(root) == []
    assert {run.name for run in restore_runs(root)} == {run.name for run in runs[1:]}
    assert len(list_runs(root)) == 2
    restore_runs(root)
    after = {k: v for k, v in files(root).items() if k.name != ".training"}  # the lock
    assert after == before
    assert not trashed(root)
    with pytest.raises(InputError, match="No run was deleted"):
        restore_runs(root)


def test_of_runs_of_which_one_is_active_none_is_deleted(root, runs):
    runs[1].write_status(state="running", step=1, total=2)
    with pytest.raises(InputError, match=f"Run {runs[1].name} is still running"):
        trash_runs(runs)
    assert len(list_runs(root)) == 3


def test_a_restored_run_never_replaces_another(root, runs):
    trash_runs(runs[:1])
    runs[0].path.mkdir()
    (runs[0].path / "config.json").write_text("new")
    with pytest.raises(InputError, match="exists again"):
        restore_runs(root)
    assert (runs[0].path / "config.json").read_text() == "new"
    assert trashed(root)[0].names == (runs[0].name,)


def test_the_trash_is_emptied_by_age_and_on_request(root, runs):
    trash_runs(runs[:1])
    old = time.strftime("%Y%m%d-%H%M%S", time.gmtime(time.time() - 31 * 86400))
    trashed(root)[0].path.rename(root / ".trash" / old)
    trash_runs(runs[1:2])  # removes what is older than 30 days
    assert [batch.names for batch in trashed(root)] == [(runs[1].name,)]
    assert empty_trash(root, 1) == 0
    assert empty_trash(root) == 1
    assert not trashed(root)
    assert [run.name for run in list_runs(root)] == [runs[2].name]


def test_a_trash_that_is_a_link_is_refused(root, runs, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    os.symlink(tmp_path / "elsewhere", root / ".trash")
    with pytest.raises(InputError, match="is a link"):
        trash_runs(runs)
    assert len(list_runs(root)) == 3
