"""Several attributes on one network: methods, unknown labels, class proportions, resuming."""

import dataclasses
import threading

import numpy as np
import pytest
import torch

from clmle.cluster_index import ClusterIndex
from clmle.data.base import Dataset
from clmle.data.multilabel import multi_task
from clmle.methods import Outputs, get_method, method_names
from clmle.methods._multi_label import MultiLabel
from clmle.presets import preset_config
from clmle.run_folder import create_run
from clmle.training import Stopped, evaluate, load_model, train
from clmle.training.prepare import prepare

SMALL = {"cluster_size": 20, "samples_per_cluster": 4, "clusters_per_batch": 6,
         "same_class_clusters": 3}  # fmt: skip
TRAIN = {"iterations": 12, "pretrain_iterations": 4, "rounds": 2, "batch_size": 48, "threads": 1,
         "backbone": "tiny"}  # fmt: skip


@pytest.fixture(scope="module")
def squares(tmp_path_factory):
    """Gray images with a bright spot in one of three corners, each an attribute; some unknown."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("squares")
    rng = np.random.default_rng(0)
    lines = ["file,split,first,second,third"]
    for i in range(260):
        split = "train" if i < 160 else "val" if i < 200 else "test"
        shown = (rng.random(3) < [0.5, 0.15, 0.3]).astype(int)
        pixels = rng.normal(80, 20, (12, 12, 3))
        for corner, (y, x) in enumerate(((0, 0), (0, 7), (7, 0))):
            pixels[y : y + 5, x : x + 5] += 120 * shown[corner]
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{i}.png")
        known = rng.random(3) < 0.9
        texts = [str(s) if k else "" for s, k in zip(shown, known, strict=True)]
        lines.append(",".join([f"{i}.png", split, *texts]))
    (folder / "labels.csv").write_text("\n".join(lines))
    return folder


def config(method, folder, **train_values):
    base = preset_config("quick", method, str(folder))
    own = {k: v for k, v in SMALL.items() if hasattr(base.options, k)}
    return dataclasses.replace(
        base,
        data=dataclasses.replace(
            base.data, attribute="all", labels=str(folder / "labels.csv"), image_size=12
        ),
        options=dataclasses.replace(base.options, **own),
        train=dataclasses.replace(base.train, mirror=False, **(TRAIN | train_values)),
    )


def one_method_of_every_file():
    files = {get_method(name).__module__: name for name in reversed(method_names())}
    return sorted({*files.values(), "clmle", "clmle-paper"})


@pytest.mark.parametrize("method", one_method_of_every_file())
def test_every_kind_of_method_learns_several_attributes(method, squares, tmp_path):
    run = create_run(tmp_path, config(method, squares).to_dict())
    result = train(run)
    test = result["test"]
    assert list(test["attributes"]) == ["first", "second", "third"]
    assert 0 <= test["balanced_accuracy"] <= 1
    assert np.shape(result["class_counts"]) == (3, 2)
    again = evaluate(run)  # from the stored weights and classifiers
    assert again["attributes"] == test["attributes"]
    model = load_model(run)
    images = np.random.default_rng(0).integers(0, 256, (5, 12, 12, 3), dtype=np.uint8)
    assert model.scores(images).shape == (5, 3, 2)
    np.testing.assert_allclose(np.linalg.norm(model.embed(images), axis=2), 1, atol=1e-4)
    stored = run.embedding(run.embedding_rounds()[-1])
    assert stored["features"].ndim == 2  # of the first attribute
    assert set(np.unique(stored["labels"])) <= {0, 1}


def test_clmle_finds_all_three_corners(squares, tmp_path):
    run = create_run(tmp_path, config("clmle", squares, iterations=90, rounds=3).to_dict())
    test = train(run)["test"]
    assert all(f["balanced_accuracy"] > 0.85 for f in test["attributes"].values()), test


@pytest.mark.parametrize("method", ["clmle", "clmle-paper", "center", "softmax", "sbcl", "proco"])
def test_a_stopped_and_resumed_run_has_the_same_result(method, squares, tmp_path, monkeypatch):
    monkeypatch.setattr("clmle.training.trainer.STATUS_EVERY", 0.0)
    whole = train(create_run(tmp_path / "whole", config(method, squares).to_dict()))
    run = create_run(tmp_path / "cut", config(method, squares).to_dict())

    def report(status):
        if status["step"] >= 9 and status["phase"].startswith("round"):
            run.request_stop()

    with pytest.raises(Stopped):
        train(run, report=report)
    assert train(run)["test"] == whole["test"]


def toy(n=400, attributes=3):
    rng = np.random.default_rng(0)
    labels = (rng.random((n, attributes)) < 0.2).astype(np.int8)
    labels[rng.random((n, attributes)) < 0.1] = -1
    images = rng.integers(0, 256, (n, 8, 8, 1), dtype=np.uint8)
    split = np.repeat([0, 1, 2], [n - 80, 40, 40]).astype(np.int8)
    return Dataset("toy", images, split, {f"a{i}": labels[:, i] for i in range(attributes)})


def outputs(task, rows, dim=6):
    generator = torch.Generator().manual_seed(1)
    n, a = len(rows), len(task.attributes)
    labels = torch.from_numpy(task.labels[task.train][rows])
    draw = [torch.randn(n, a, k, generator=generator, requires_grad=True) for k in (dim, 2)]
    return Outputs(draw[0], draw[1], labels, 0.25)


@pytest.mark.parametrize("name", ["softmax", "oversampling", "center", "clmle", "lmle"])
def test_one_attribute_equals_the_single_label_method(name):
    task = multi_task(toy(attributes=1))
    kind = get_method(name)
    options = kind.Options()
    own = {k: v for k, v in SMALL.items() if hasattr(options, k)}
    options = dataclasses.replace(options, **own)
    many = MultiLabel(kind, options, task, 48, 0, 6)
    torch.manual_seed(0)
    single = kind(options, task.tasks[0], 48, 0, 6)
    for a, b in zip(many.modules.parameters(), single.modules.parameters(), strict=True):
        a.data.copy_(b.data)
    features = np.random.default_rng(0).normal(size=(len(task.train), 1, 6)).astype(np.float32)
    many.start_round(0, features)
    single.start_round(0, features[many.known[0], 0])
    for step in range(3):
        batch, alone = many.sample_batch(step), single.sample_batch(step)
        np.testing.assert_array_equal(batch.indices, many.known[0][alone.indices])
        out = outputs(task, batch.indices)
        one = Outputs(out.features[:, 0], out.logits[:, 0], out.labels[:, 0], 0.25)
        found, wanted = many.loss(out, batch).total, single.loss(one, alone).total
        torch.testing.assert_close(found, wanted)


def many_of(name, task, **own):
    """A method for every attribute of a task, with clusters of random features."""
    options = dataclasses.replace(get_method(name).Options(), **own)
    many = MultiLabel(get_method(name), options, task, 60, 0, 6)
    shape = (len(task.train), len(task.attributes), 6)
    many.start_round(0, np.random.default_rng(0).normal(size=shape).astype(np.float32))
    return many


def test_each_head_gets_the_class_proportions_of_its_method_and_known_labels_only():
    many = many_of("oversampling", multi_task(toy()))
    for step in range(6):
        batch = many.sample_batch(step)
        query = step % 3
        assert batch.extra.query == query
        assert (many.labels[batch.indices, query] >= 0).all()
        for a in set(range(3)) - {query}:
            chosen, proportions = many._resample(a, batch.indices, batch.extra)
            labels = many.labels[batch.indices[chosen], a]
            assert (labels >= 0).all()
            assert proportions is None
            assert abs(labels.mean() - 0.5) <= 1.01 / len(labels)
            assert len(chosen) == (many.labels[batch.indices, a] >= 0).sum()


def test_a_loss_corrected_for_proportions_takes_each_known_image_once():
    many = many_of("clmle", multi_task(toy()), cluster_size=20)
    batch = many.sample_batch(0)
    for a in (1, 2):
        chosen, proportions = many._resample(a, batch.indices, batch.extra)
        np.testing.assert_array_equal(chosen, np.flatnonzero(many.labels[batch.indices, a] >= 0))
        known = many.labels[many.labels[:, a] >= 0, a]
        np.testing.assert_allclose(proportions, [1 - known.mean(), known.mean()])


@pytest.mark.parametrize(
    "own",
    [
        {"logit_adjustment": False},
        {"head_loss": "squared"},
        {"within_weight": 1.0, "denominator": "sum"},
        {"class_weighting": False, "n_negative_clusters": 2},
        {"warmup_until": 0.5},  # one of the first two heads warms up, the third has no metrics
        {"warmup_until": 0.95},
    ],
)
def test_stacked_heads_equal_the_heads_one_by_one(own):
    task = multi_task(toy())
    together, apart = (many_of("clmle", task, cluster_size=15, **own) for _ in range(2))
    reported = dict(
        zip(task.attributes, ({"balanced_accuracy": b} for b in (0.6, 0.9)), strict=False)
    )
    for many in (together, apart):
        many.on_validation({"balanced_accuracy": 0.7, "attributes": reported})
    assert [head.is_warming_up for head in together.heads] == [
        own.get("warmup_until", 0.1) > 0.2, own.get("warmup_until", 0.1) > 0.8, False,
    ]  # fmt: skip
    sizes = {head.index.n_clusters for head in together.heads}
    assert len(sizes) > 1  # the shorter ones are filled up
    for step in range(5):
        apart.stack = None
        batch = together.sample_batch(step)
        np.testing.assert_array_equal(batch.indices, apart.sample_batch(step).indices)
        found, wanted = outputs(task, batch.indices), outputs(task, batch.indices)
        one, other = together.loss(found, batch), apart.loss(wanted, apart.sample_batch(step))
        torch.testing.assert_close(one.total, other.total)
        for name, part in other.parts.items():
            torch.testing.assert_close(one.parts[name], part.float())
        one.total.backward()
        other.total.backward()
        one.after_backward()
        other.after_backward()
        torch.testing.assert_close(found.features.grad, wanted.features.grad)
        torch.testing.assert_close(found.logits.grad, wanted.logits.grad)
        assert found.logits.grad.abs().sum() > 0
        for a, b in zip(together.heads, apart.heads, strict=True):
            np.testing.assert_allclose(a.index.centroids, b.index.centroids, atol=1e-5)
            np.testing.assert_allclose(a.index.losses, b.index.losses, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("shared", [False, True])
def test_heads_are_clustered_in_parallel_or_in_turn_where_processes_share_an_index(
    shared, monkeypatch
):
    task, before = multi_task(toy()), torch.get_num_threads()
    wanted = many_of("clmle", task, cluster_size=15)
    seen = []
    refresh = ClusterIndex.refresh

    def reported(index, *args, **kwargs):
        seen.append((index.n_clusters, threading.current_thread(), torch.get_num_threads()))
        refresh(index, *args, **kwargs)

    monkeypatch.setattr(ClusterIndex, "refresh", reported)
    torch.set_num_threads(3)
    try:
        options = dataclasses.replace(get_method("clmle").Options(), cluster_size=15)
        many = MultiLabel(get_method("clmle"), options, task, 60, 0, 6)
        for head in many.heads if shared else ():
            head.adopt = lambda index: index
        shape = (len(task.train), len(task.attributes), 6)
        many.start_round(0, np.random.default_rng(0).normal(size=shape).astype(np.float32))
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    assert len(seen) == len(task.attributes)
    if shared:
        assert [n for n, _, _ in seen] == [head.index.n_clusters for head in wanted.heads]
        assert {thread for _, thread, _ in seen} == {threading.current_thread()}
    else:
        assert {threads for _, _, threads in seen} == {1}
    for a, b in zip(many.heads, wanted.heads, strict=True):
        np.testing.assert_array_equal(a.index.assignment, b.index.assignment)
        np.testing.assert_array_equal(a.index.centroids, b.index.centroids)


def test_unknown_labels_have_no_gradient():
    task = multi_task(toy())
    many = MultiLabel(get_method("softmax"), get_method("softmax").Options(), task, 60, 0, 6)
    batch = many.sample_batch(0)
    out = outputs(task, batch.indices)
    many.loss(out, batch).total.backward()
    unknown = out.labels == -1
    assert unknown.any()
    assert (out.logits.grad[unknown] == 0).all()
    assert (out.logits.grad[~unknown] != 0).any(dim=1).all()


def test_batches_made_for_one_head_train_that_head_alone():
    task = multi_task(toy())
    options = dataclasses.replace(get_method("lmle").Options(), **SMALL)
    many = MultiLabel(get_method("lmle"), options, task, 60, 0, 6)
    features = np.random.default_rng(0).normal(size=(len(task.train), 3, 6)).astype(np.float32)
    many.start_round(0, features)
    batch = many.sample_batch(1)
    out = outputs(task, batch.indices)
    many.loss(out, batch).total.backward()
    trained_heads = out.features.grad.abs().sum(dim=(0, 2)) > 0
    assert trained_heads.tolist() == [False, True, False]


def test_a_trial_of_several_attributes_is_one_task_per_attribute_in_the_statistics(
    squares, tmp_path
):
    from clmle.studies.execution import run_trial
    from clmle.studies.statistics import trials_frame
    from clmle.studies.trials import Trial

    summary = run_trial(Trial("mine", config("softmax", squares)), tmp_path / "run")
    task = multi_task(prepare(config("softmax", squares))[0])
    for split in ("validation", "test"):
        frame = trials_frame([summary], split).set_index("task")
        assert list(frame.index) == [f"{squares.name}/{n}" for n in ("first", "second", "third")]
        for name, (without, with_it) in zip(task.attributes, task.class_counts(), strict=True):
            own = summary["attributes"][name][split]
            row = frame.loc[f"{squares.name}/{name}"]
            assert row["balanced_accuracy"] == own["balanced_accuracy"]
            assert row["minority"] == min(without, with_it) / (without + with_it)
            assert row["recall_rarest"] == own["recall"][int(with_it <= without)]
        mean = frame["balanced_accuracy"].mean()
        assert mean == pytest.approx(summary[split]["balanced_accuracy"], abs=1e-4)
