"""Two processes train one run: gradients, clusters, cached losses, stops, errors and kills."""

import copy
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch

from clmle.cluster_index import ClusterIndex
from clmle.config import TrainConfig
from clmle.distributed_index import DistributedIndex
from clmle.methods import Outputs, get_method, method_names
from clmle.models.backbones import BACKBONES, ON_FEATURES
from clmle.run_folder import create_run, list_runs
from clmle.training.checkpoint import load_tensors
from clmle.training.distributed import World
from clmle.training.factory import network_for_shape
from tests.training import two_processes as two

pytestmark = pytest.mark.skipif(
    not torch.distributed.is_available() or os.name != "posix", reason="gloo on POSIX"
)
ROOT = Path(__file__).resolve().parents[2]


def environment(folder):
    return os.environ | {
        "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "CLMLE_CACHE": str(folder / "cache"),
        "CLMLE_RUNS": str(folder / "runs"),
    }  # fmt: skip


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Folder of the files that two processes wrote."""
    folder = tmp_path_factory.mktemp("pair")
    two.write_attributes(folder)
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.training.two_processes", str(rank), str(folder)],
            env=environment(folder), stderr=subprocess.PIPE, text=True,
        )
        for rank in range(2)
    ]  # fmt: skip
    for process in processes:
        _, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors
    return folder


def held(folder, name, rank=0):
    return load_tensors(folder / f"{name}.{rank}.safetensors")[0]


def same(a, b, **tolerance):
    assert a.keys() == b.keys()
    for group in a:
        assert a[group].keys() == b[group].keys()
        for name, tensor in a[group].items():
            torch.testing.assert_close(
                tensor, b[group][name], equal_nan=True, **({"rtol": 0, "atol": 0} | tolerance)
            )


@pytest.mark.parametrize("method", ["softmax", "tau-norm"])
def test_two_processes_train_as_one_does_on_the_union_of_their_batches(method, pair, tmp_path):
    _, engine = two.trainer_of(tmp_path, method, two.unnormalized(method), World())
    result = engine.run_all()
    alone = two.state(engine)
    assert ("modules" in held(pair, method)) == bool(alone["modules"])
    same(held(pair, method), {k: v for k, v in alone.items() if v}, rtol=1e-4, atol=1e-6)
    (other,) = list_runs(pair / f"{method}.of2")
    assert other.result()["test"]["confusion"] == result["test"]["confusion"]


@pytest.mark.parametrize("name", ["softmax", "tau-norm", "attributes", "local_imbalance", "whole"])
def test_both_processes_end_with_the_same_weights_clusters_and_losses(name, pair):
    same(held(pair, name, 0), held(pair, name, 1))


def test_stacked_heads_train_as_heads_one_after_the_other(pair):
    same(held(pair, "attributes"), held(pair, "loop"), rtol=1e-3, atol=1e-5)


def engine_of(folder, name, options=None):
    config = two.digits(name, options, batch_size=120, pretrain_iterations=1)
    return two.trainer_of(folder, name, config, World())[1]


def promising():
    """Methods that use all parameters in every step, by their default options."""
    kinds = {name: get_method(name) for name in method_names()}
    return [name for name, kind in kinds.items() if kind.uses_all_parameters(kind.Options())]


@pytest.mark.parametrize("name", promising())
def test_a_step_uses_all_parameters_where_a_method_promises_it(name, tmp_path):
    engine = engine_of(tmp_path, name)
    engine.set_up()
    assert engine.uses_all_parameters()
    engine.pretrain()
    engine.refresh()
    for _ in range(3):
        engine.optimizer.zero_grad()
        for parameter in engine.parameters:
            parameter.grad = None
        engine.one_step(engine.method, "round 1")
        assert all(parameter.grad is not None for parameter in engine.parameters)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("tau-norm", {}),
        ("clmle-paper", {}),
        ("sbcl", {}),
        ("clmle", {"softmax_weight": 0.0}),
        ("clmle", {"detach_head": True}),
    ],
)
def test_no_method_without_the_head_promises_to_use_all_parameters(name, options, tmp_path):
    engine = engine_of(tmp_path, name, options)
    engine.set_up()
    assert not engine.uses_all_parameters()
    assert {"softmax", "moon", "sampling-without-replacement", "clmle"} <= set(promising())


@pytest.mark.parametrize("name", [*BACKBONES, *ON_FEATURES])
def test_every_backbone_uses_all_its_parameters(name):
    shape = (1, 1, 8) if name in ON_FEATURES else (40, 40, 3)
    network = network_for_shape(TrainConfig(backbone=name, feature_dim=4), shape, None, 2)
    _, logits = network(torch.randn(2, shape[2], *shape[:2]))
    logits.sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize("uses_all", [True, False])
def test_processes_search_for_unused_parameters_only_where_there_may_be_some(uses_all, monkeypatch):
    made = mock.Mock()
    monkeypatch.setattr(torch.nn.parallel, "DistributedDataParallel", made)
    network = torch.nn.Linear(2, 2)
    World(0, 2).wrap_ddp(network, torch.nn.ModuleDict(), uses_all)
    (weights,), options = made.call_args
    assert options == {"find_unused_parameters": not uses_all}
    assert len(list(weights.parameters())) == 2 + (not uses_all)


def test_clusters_of_two_processes_equal_those_of_one(pair, tmp_path):
    _, engine = two.trainer_of(tmp_path, "alone", two.local_imbalance(), World())
    engine.set_up()
    engine.refresh()
    same(held(pair, "clusters")["method"] and {"": held(pair, "clusters")["method"]},
         {"": engine.method.state()})  # fmt: skip


def test_every_process_has_its_own_query_cluster_and_all_cache_all_losses(pair, tmp_path):
    """Compared with one process that trains both batches of a step itself."""
    _, engine = two.trainer_of(tmp_path, "alone", two.local_imbalance(), World())
    engine.set_up()
    engine.refresh()
    network, method, t = engine.network, engine.method, engine.config.train
    method.batch_size //= 2
    queries = []
    for step in range(two.STEPS):
        engine.optimizer.zero_grad()
        buffers = {k: v.clone() for k, v in network.named_buffers()}
        new_buffers, seen, index = [], [], method.index
        for rank in range(2):
            for name, buffer in network.named_buffers():
                buffer.copy_(buffers[name])
            batch = method.sample_batch(2 * step + rank)
            queries.append(int(batch.extra.clusters[0]))
            rows = engine.task.train[batch.indices]
            z, logits = network.train()(engine.source.batch(rows))
            method.index = copy.deepcopy(index)
            notes = {}
            method.index.record = lambda *given, notes=notes: notes.update(record=given)
            method.index.move = lambda *given, notes=notes: notes.update(move=given)
            outputs = Outputs(z, logits, engine.labels[rows], step / t.iterations)
            loss = method.loss(outputs, batch)
            (loss.total / 2).backward()
            loss.after_backward()
            method.index = index
            seen.append(notes)
            new_buffers.append({k: v.clone() for k, v in network.named_buffers()})
        for name, buffer in network.named_buffers():
            if buffer.is_floating_point():
                buffer.copy_((new_buffers[0][name] + new_buffers[1][name]) / 2)
        engine.optimizer.learning_rate = engine.learning_rate(step)
        engine.optimizer.step()
        for notes in seen:
            index.record(*notes["record"])
        clusters, features, momentum = zip(*(notes["move"] for notes in seen), strict=True)
        index.move(np.concatenate(clusters), np.concatenate(features), momentum[0])
    assert len(set(queries)) > two.STEPS  # not the same cluster on both
    alone = {k: v for k, v in two.state(engine).items() if v}
    same(held(pair, "local_imbalance"), alone, rtol=1e-3, atol=1e-5)
    assert np.isfinite(index.losses).sum() > 100


def test_a_stop_reaches_both_processes_and_resuming_is_exact(pair):
    found = [json.loads((pair / f"found.{rank}.json").read_text()) for rank in range(2)]
    assert found[0]["stops"] == found[1]["stops"] == [2, 4, 10]
    (stopped,), (undisturbed,) = list_runs(pair / "stopped.of2"), list_runs(pair / "whole.of2")
    assert stopped.result()["test"] == undisturbed.result()["test"]
    same(load_tensors(stopped.checkpoint_path)[0], load_tensors(undisturbed.checkpoint_path)[0])
    assert _lines(stopped) == _lines(undisturbed)


def _lines(run):
    return [{k: v for k, v in line.items() if "second" not in k} for line in run.metrics()]


def test_an_error_of_one_process_is_raised_by_both(pair):
    found = [json.loads((pair / f"found.{rank}.json").read_text()) for rank in range(2)]
    assert found[0]["messages"] == found[1]["messages"]
    odd, crowded, device = found[0]["messages"]
    assert "97" in odd
    assert "not a multiple of the 2 processes" in odd
    assert "Each of the 2 processes draws 24 of the 48 images" in crowded
    assert "cuda:1" in device
    assert found[0]["one_sided"] == found[1]["one_sided"] == "Only here."
    assert found[0]["mean"] == found[1]["mean"] == {"a": 0.5, "b": 5.0}


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_shards_of_rows_are_whole_batches_and_cover_every_row_once(size):
    for n in (0, 1, 63, 64, 65, 500):
        parts, counts = [], set()
        for rank in range(size):
            world = World()
            world.rank, world.size = rank, size
            part, batches = world.shard(n, 64)
            parts.append(np.arange(n)[part])
            counts.add(batches)
            assert len(parts[-1]) <= batches * 64
            assert part.start % 64 == 0 or part.start == n
        assert np.concatenate(parts).tolist() == list(range(n))
        assert len(counts) == 1


@pytest.mark.parametrize("size", [2, 3])
def test_synchronized_copies_equal_one_index_that_sees_everything(size):
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), [300, 150, 40, 7])
    features = rng.normal(size=(3, len(labels), 6)).astype(np.float32)
    features /= np.linalg.norm(features, axis=2, keepdims=True)
    alone = ClusterIndex.empty(labels, 6, 20, 2)
    copies = [
        DistributedIndex.of(ClusterIndex.empty(labels, 6, 20, 2), r, size, turn=1)
        for r in range(size)
    ]
    made = [{int(first) for _, first, _ in copy.parts()} for copy in copies]
    assert sum(map(len, made)) == len(set.union(*made)) == 4

    def agree():
        news = [c.changes() for c in copies]
        for c in copies:
            c.merge(news)
            for name, tensor in alone.state().items():
                np.testing.assert_array_equal(c.state()[name].numpy(), tensor.numpy())
            np.testing.assert_array_equal(c.sizes, alone.sizes)

    for warm in (False, True):
        for index in (alone, *copies):
            index.refresh(features[int(warm)], warm=warm)
        agree()
        rows = [rng.choice(len(labels), 30) for _ in range(size)]
        clusters = [alone.assignment[r] for r in rows]
        for r, c, mine in zip(rows, clusters, copies, strict=True):
            mine.record(r, r / 7)
            mine.move(c, features[2][r], 0.9)
        for r in rows:
            alone.record(r, r / 7)
        alone.move(np.concatenate(clusters), features[2][np.concatenate(rows)], 0.9)
        agree()
    for index in (alone, *copies):
        index.recenter(features[2])
    agree()


def test_torchrun_restarts_a_killed_process_and_the_result_is_the_same(pair, tmp_path):
    if not Path("/proc/self/environ").exists() or shutil.which(sys.executable) is None:
        pytest.skip("finds the processes in /proc")
    config = json.dumps(two.whole().to_dict())
    (tmp_path / "whole.json").write_text(config)
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
        "--max-restarts", "2", "--monitor-interval", "0.1", "-m", "clmle", "train", "digits",
        "--config", str(tmp_path / "whole.json"),
    ]  # fmt: skip
    with subprocess.Popen(
        command,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as torchrun:
        deadline = time.time() + 600
        while not (found := list(tmp_path.glob("runs/*/checkpoint.safetensors"))):
            assert time.time() < deadline
            assert torchrun.poll() is None
            time.sleep(0.01)
        os.kill(_process_of_rank(torchrun.pid, 1), signal.SIGKILL)
        assert not (found[0].parent / "result.json").exists()
        out, errors = torchrun.communicate(timeout=600)
    assert torchrun.returncode == 0, errors
    assert out.count("balanced accuracy") == 1  # only the main process prints
    (run,) = list_runs(tmp_path / "runs")
    (undisturbed,) = list_runs(pair / "whole.of2")
    assert run.result()["test"] == undisturbed.result()["test"]
    assert run.result()["machine"]["processes"] == 2
    same(load_tensors(run.checkpoint_path)[0], load_tensors(undisturbed.checkpoint_path)[0])
    assert _lines(run) == _lines(undisturbed)
    assert run.status()["state"] == "done"


def _process_of_rank(parent, rank):
    """Return the child process of torchrun with this rank."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            reported = (folder / "environ").read_bytes().split(b"\0")
        except (OSError, IndexError):
            continue
        if int(stat[1]) == parent and f"RANK={rank}".encode() in reported:
            return int(folder.name)
    raise AssertionError(f"torchrun has no process of rank {rank}")


def test_the_run_of_a_job_is_found_again(tmp_path, monkeypatch):
    from clmle.training.torchrun import run_of_job

    config, others = two.whole().to_dict(), two.unnormalized("softmax").to_dict()
    assert run_of_job(tmp_path, config).path != run_of_job(tmp_path, config).path
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "study-7")
    run = run_of_job(tmp_path, config)
    assert run_of_job(tmp_path, config).path == run.path
    assert run_of_job(tmp_path, others).path != run.path
    test = {"balanced_accuracy": 0.5, "interval": [0.4, 0.6], "recall": [0.5, 0.5]}
    facts = {"class_names": ["a", "b"], "class_counts": [9, 1], "chosen": {}}
    run.write_result({"test": test, **facts})
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    assert run_of_job(tmp_path, config).path == run.path
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "0")
    new = run_of_job(tmp_path, config)  # the earlier run is finished, and this is a new start
    assert new.path != run.path
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    assert create_run(tmp_path, config).path != run_of_job(tmp_path, config).path != new.path
