"""Damaged files of a run or of results: a one-sentence error and exit code 2."""

import json
import shutil

import pytest

from clmle.__main__ import main
from tools.report.__main__ import main as report

TINY = ["--iterations", "8", "--pretrain-iterations", "3", "--rounds", "1", "--batch-size", "120"]

DAMAGES = {
    "empty": lambda content: b"",
    "cut off": lambda content: content[: len(content) // 2],
    "cut off early": lambda content: content[:9],
    "garbage": lambda content: bytes(range(256)) * 4,
    "zeros": lambda content: bytes(len(content)),
    "a byte changed": lambda content: content[:3] + b"\xff" + content[4:],
    "null": lambda content: b"null",
    "a list": lambda content: b"[]",
    "another tree": lambda content: b'{"x": 1}',
    "a number": lambda content: b"17\n",
}
COMMANDS = {
    "config.json": ("runs", "runs show RUN", "evaluate RUN", "embed RUN --out OUT"),
    "status.json": ("runs", "runs show RUN", "runs delete RUN"),
    "result.json": ("runs", "runs show RUN"),
    "model.safetensors": ("evaluate RUN", "embed RUN --out OUT"),
    "clusters.npz": ("evaluate RUN",),
    "metrics.jsonl": ("runs", "train --resume RUN"),
    "checkpoint.safetensors": ("train --resume RUN",),
    "embeddings/round_01.npz": ("embed RUN --by pca",),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    root = tmp_path_factory.mktemp("trained")
    assert main(["train", "digits", *TINY, "--runs-dir", str(root)]) == 0
    (run,) = root.iterdir()
    return run


@pytest.mark.parametrize("name", COMMANDS)
def test_a_damaged_file_of_a_run_is_a_one_sentence_error(name, trained, tmp_path, capsys):
    for what, damage in DAMAGES.items():
        run = tmp_path / what.replace(" ", "-") / trained.name
        shutil.copytree(trained, run)
        (run / name).write_bytes(damage((trained / name).read_bytes()))
        for command in COMMANDS[name]:
            if "--resume" in command:
                (run / "result.json").unlink(missing_ok=True)
            words = command.replace("RUN", run.name).replace("OUT", str(tmp_path / "f.npz"))
            code, err = call(capsys, *words.split(), "--runs-dir", run.parent)
            assert code in (0, 2), (what, command, err)
            if code == 2:
                assert one_sentence(err), (what, command, err)


def test_weights_of_another_network_are_a_one_sentence_error(trained, tmp_path, capsys):
    from safetensors.torch import load_file, save_file

    weights = load_file(trained / "model.safetensors")
    first = next(k for k, w in weights.items() if w.dim() == 4)
    others = {
        "no network": {"x": weights[first]},
        "of another shape": weights | {first: weights[first][:2].contiguous()},
    }
    for what, tensors in others.items():
        run = tmp_path / what.replace(" ", "-") / trained.name
        shutil.copytree(trained, run)
        save_file(tensors, run / "model.safetensors", metadata={"facts": "{}"})
        code, err = call(capsys, "evaluate", run.name, "--runs-dir", run.parent)
        assert code == 2, (what, err)
        assert one_sentence(err), (what, err)


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_results_file_is_a_one_sentence_error(what, tmp_path, capsys):
    whole = json.dumps({"key": "k", "variant": "v", "seconds": 1.0}).encode() + b"\n"
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "digits.jsonl").write_bytes(DAMAGES[what](whole) + b"\n" + whole)
    code = report(["--results", str(folder), "--out", str(tmp_path / "docs")])
    err = capsys.readouterr().err
    assert code == 2, err
    assert err.startswith("report: ")
    assert err.count("\n") == 1


def call(capsys, *words):
    code = main([str(word) for word in words])
    return code, capsys.readouterr().err


def one_sentence(err):
    lines = [line for line in err.strip().splitlines() if line.startswith("clmle: ")]
    return len(lines) == 1 and "Traceback" not in err and len(lines[0]) > 20
