"""One damaged run or study is shown as damaged; every other one works as before."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from clmle.__main__ import main
from clmle.files import runs_dir
from clmle.jobs import ahead, trash_runs
from clmle.jobs.lock import run_lock
from clmle.presets import preset_config
from clmle.run_folder import create_run, list_runs
from clmle.studies import background_studies
from tests.robustness.hostile import DEEP, error_of

ROOT = Path(__file__).resolve().parents[2]
CONFIG = preset_config("quick", "softmax", "digits").to_dict()
STATUS = {"state": "done", "phase": "done", "step": 9, "total": 9, "seconds": 1.5,
          "seconds_left": None, "message": ""}  # fmt: skip
TEST = {"balanced_accuracy": 0.75, "interval": [0.7, 0.8], "recall": [0.5] * 10}
RESULT = {"test": TEST, "class_names": [str(i) for i in range(10)], "class_counts": [9] * 10,
          "chosen": {}}  # fmt: skip
# The file, and what it holds instead; None: it is gone.
DAMAGES = [
    ("status.json", ""), ("status.json", '{"state": "paused"}'), ("status.json", "[]"),
    ("status.json", json.dumps(STATUS | {"step": "nine"})), ("status.json", DEEP),
    ("config.json", "{}"), ("config.json", None), ("config.json", "\0" * 99),
    ("config.json", json.dumps(CONFIG | {"train": None})),
    ("config.json", json.dumps(CONFIG | {"data": {"dataset": 3}})),
    ("config.json", json.dumps(CONFIG | {"method": ["softmax"]})),
    ("result.json", ""), ("result.json", '{"test": {}}'), ("result.json", None),
    ("result.json", json.dumps(RESULT | {"test": TEST | {"interval": "wide"}})),
    ("annotation.json", "[]"), ("annotation.json", '{"title": "", "tags": [1], "note": ""}'),
    ("annotation.json", json.dumps({"title": "x" * 99, "tags": [], "note": ""})),
]  # fmt: skip


@pytest.fixture
def runs():
    """A whole run, and one for each damage."""
    made = []
    for file, text in [("log.txt", ""), *DAMAGES]:
        run = create_run(runs_dir(), CONFIG)
        run.write_result(RESULT)
        run.write_status(**STATUS)
        if text is None:
            (run.path / file).unlink()
        else:
            (run.path / file).write_text(text)
        made.append(run)
    return made


def test_commands_and_queue_skip_damaged_runs(runs, capsys):
    assert main(["runs"]) == 0
    out = capsys.readouterr().out
    states = {line.split()[0]: line.split()[1] for line in out.splitlines() if line[:2] == "20"}
    assert states.pop(runs[0].name) == "done"
    assert states == {run.name: "damaged" for run in runs[1:]}
    assert all(run.damage() in out for run in runs[1:])
    assert ahead(runs[0]) == 0
    for run in runs[1:]:
        assert main(["runs", "delete", run.name]) == 0
    assert [run.name for run in list_runs(runs_dir())] == [runs[0].name]


def test_a_damaged_run_that_is_trained_is_not_deleted(runs):
    with run_lock(runs[1]):
        assert "Another process is training" in error_of(trash_runs, runs[1:2])
    trash_runs(runs[1:2])
    assert not runs[1].path.exists()


def opened(page):
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=600)
    app.switch_page(f"views/{page}.py")
    app.run()
    assert not app.exception
    return app


def test_the_train_page_shows_damaged_runs_with_a_button_to_delete_them(runs):
    app = opened("train")
    assert not app.error
    assert app.session_state["runs-picked"] == [runs[0].name]
    shown = [m.value for m in app.markdown if "damaged" in m.value]
    assert len(shown) == len(DAMAGES)
    app.button(key=f"delete-{runs[3].name}").click().run()
    assert not runs[3].path.exists()
    assert runs[4].path.exists()


@pytest.mark.parametrize("page", ["start", "embeddings", "attributes", "margins", "recognition"])
def test_pages_offer_the_whole_run_next_to_damaged_ones(page, runs):
    app = opened(page)
    assert not app.error
    if page == "margins":
        assert runs[0].name in str(app.selectbox[0].options) or len(app.selectbox[0].options) == 2


def test_a_line_of_metrics_that_is_damaged_hides_no_other(runs):
    run = runs[0]
    for step in range(3):
        run.append_metrics(kind="validation", step=step, balanced_accuracy=0.5, recall=[1.0])
    with open(run.path / "metrics.jsonl", "a") as file:
        file.write(
            '{"kind": "validation", "step": "x"}\n{"kind": "train", "step": 1}\nnull\n\xff\n'
            f'{{"kind": "train", "step": 1, "loss": 1.0, "softmax": {10**30}}}\n'
        )
    run.append_metrics(kind="train", step=4, loss=0.5)
    assert [line["step"] for line in run.metrics()] == [0, 1, 2, 4]


def test_a_damaged_study_is_one_card_with_an_error():
    home = runs_dir() / "studies"
    home.mkdir(parents=True)
    jobs = {"a": "", "b": "[]", "c": '{"request": {"study": "nothing"}}', "d": DEEP,
            "e": '{"request": {"study": "classifier"}, "jobs": "x"}'}  # fmt: skip
    for name, text in jobs.items():
        (home / f"{name}.job.json").write_text(text)
    line = (ROOT / "docs/results/classifier.jsonl").read_text().splitlines()[0]
    (home / "f.jsonl").write_text('{"key": "k", "variant": "v"}\n' + line + "\n")
    (home / "g.jsonl").write_text(line + "\n")
    app = opened("ablations")
    texts = [e.value.replace("\\", "") for e in app.error]
    for name in (*jobs, "f"):
        assert any(f"/{name}." in text or "nothing" in text for text in texts), (name, texts)
    assert "g (mine)" in app.selectbox(key="study").options
    assert len(background_studies()) == len(jobs)
    app.button(key="delete-study-b").click().run()
    assert not (home / "b.job.json").exists()
    assert (home / "a.job.json").exists()
