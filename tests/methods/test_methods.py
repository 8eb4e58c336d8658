"""Every registered method trains, is stored and resumed, and describes itself."""

import contextlib
import dataclasses
import math

import numpy as np
import pytest
import torch

from clmle import InputError
from clmle.data import SPLITS, load_digits
from clmle.methods import Outputs, get_method, method_names
from clmle.methods.adaface import NormStatistics
from clmle.methods.class_balanced_loss import effective_numbers
from clmle.methods.clmle.terms import head_loss
from clmle.metrics.classification import classification_metrics
from clmle.models.network import Network
from clmle.presets import preset_config
from clmle.run_folder import create_run
from clmle.training import Stopped, load_model, prepare, train, trainer
from clmle.training.checkpoint import load_tensors
from clmle.training.prepare import config_from_dict

TRAIN = {
    "backbone": "tiny", "feature_dim": 12, "iterations": 6, "pretrain_iterations": 2, "rounds": 2,
    "batch_size": 48, "threads": 1,
}  # fmt: skip
CLUSTERS = {
    "cluster_size": 8, "clusters_per_batch": 6, "samples_per_cluster": 4, "same_class_clusters": 3,
}  # fmt: skip

# Baselines of the CLMLE paper, and later ones.
BASELINES = {
    "softmax": "softmax",
    "softmax + contrastive (DeepID2)": "contrastive",
    "triplet (FaceNet)": "triplet",
    "L-Softmax": "l-softmax",
    "softmax + center": "center",
    "A-Softmax (SphereFace)": "sphereface",
    "CosFace (LMCL)": "cosface",
    "marginal": "marginal",
    "noisy softmax": "noisy-softmax",
    "CoCo": "coco",
    "range": "range",
    "center-invariant": "center-invariant",
    "feature transfer": "feature-transfer",
    "minority augmentation": "minority-augmentation",
    "LMLE": "lmle",
    "CRL-I": "crl",
    "MOON": "moon",
    "oversampling": "oversampling",
    "undersampling": "undersampling",
    "SMOTE": "smote",
    "class weighting": "class-weighting",
    "sampling without replacement": "sampling-without-replacement",
    "nearest class mean": "nearest-class-mean",
    "magnet": "magnet",
    "ArcFace": "arcface",
    "sub-center ArcFace": "sub-center-arcface",
    "AdaFace": "adaface",
    "focal": "focal",
    "class-balanced-loss": "class-balanced-loss",
    "LDAM-DRW": "ldam-drw",
    "balanced softmax": "balanced-softmax",
    "logit adjustment": "logit-adjustment",
    "cRT": "crt",
    "tau-norm": "tau-norm",
    "supervised contrastive": "supcon",
    "balanced contrastive": "balanced-contrastive",
    "SBCL": "sbcl",
    "GPaCo": "gpaco",
    "ProCo": "proco",
    "logit-adjusted cosine": "logit-adjusted-cosine",
    "SoftTriple": "soft-triple",
    "Circle": "circle",
    "multi-similarity": "multi-similarity",
}


def one_method_of_every_kind():
    """One method for each way of drawing batches and of keeping state."""
    kinds = {}
    for name in reversed(method_names()):
        cls = get_method(name)
        kinds[cls.build, cls.start_round, cls.sample_batch] = name
    return sorted(kinds.values())


@pytest.fixture(scope="session")
def datasets(tmp_path_factory):
    """Data configurations: digits with 10 classes; squares, 60 against 8 and 60 against 1 image."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("squares")
    rng = np.random.default_rng(0)
    sizes = {"train": (60, 8), "validation": (15, 8), "test": (20, 10)}
    lines = []
    for split in SPLITS:
        for square, count in enumerate(sizes[split]):
            for i in range(count):
                pixels = rng.normal(90, 25, (8, 8, 3))
                pixels[2:6, 2:6] += 110 * square
                name = f"{split}-{square}-{i}.png"
                Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name)
                lines.append(f"{name},{split},{square}")
    head = "file,split,square"
    single = [x for x in lines if not x.startswith("train-1") or x.startswith("train-1-0")]
    (folder / "few.csv").write_text("\n".join([head, *lines]))
    (folder / "single.csv").write_text("\n".join([head, *single]))
    squares = {
        "dataset": str(folder), "labels": str(folder / "few.csv"), "attribute": "square",
        "image_size": 8,
    }  # fmt: skip
    return {
        "digits": {"dataset": "digits", "image_size": 8},
        "binary": squares,
        "single": squares | {"labels": str(folder / "single.csv")},
    }


def config_of(method, data, **options):
    config = preset_config("quick", method, "digits")
    own = {k: v for k, v in CLUSTERS.items() if hasattr(config.options, k)} | options
    return dataclasses.replace(
        config,
        data=dataclasses.replace(config.data, **data),
        options=dataclasses.replace(config.options, **own),
        train=dataclasses.replace(config.train, **TRAIN),
    )


@pytest.fixture(scope="session")
def trained(datasets, tmp_path_factory):
    """(run, config, result) of a method on a data set, trained once for all tests of this file."""
    runs = {}

    def get(method, dataset):
        if (method, dataset) not in runs:
            config = config_of(method, datasets[dataset])
            run = create_run(tmp_path_factory.mktemp(f"{method}-{dataset}"), config.to_dict())
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(trainer, "LOG_EVERY", 1)
                runs[method, dataset] = (run, config, train(run))
        return runs[method, dataset]

    return get


@pytest.mark.parametrize("dataset", ["digits", "binary", "single"])
@pytest.mark.parametrize("method", method_names())
def test_loss_is_finite_and_the_network_moves(method, dataset, trained):
    """10 classes, 60 against 8, and 60 against a class of a single training image."""
    run, config, result = trained(method, dataset)
    losses = run.metrics("train")
    assert [m["step"] for m in losses] == list(range(1, 7))
    for line in losses:
        assert all(math.isfinite(v) for v in line.values() if isinstance(v, float)), line
    last = load_tensors(run.checkpoint_path)[0]["network"]
    torch.manual_seed(config.train.seed)
    channels = last["backbone.features.0.weight"].shape[1]
    first = Network("tiny", channels, 8, 12, len(result["class_counts"])).state_dict()
    for name in ("backbone.features.0.weight", "backbone.embedding.weight"):
        assert torch.isfinite(last[name]).all()
        assert not torch.equal(first[name], last[name]), f"{name} did not change"
    assert 0 <= result["test"]["balanced_accuracy"] <= 1


@pytest.mark.parametrize("dataset", ["digits", "single"])
@pytest.mark.parametrize("method", method_names())
def test_stored_classifier_reproduces_the_test_metrics(method, dataset, trained):
    run, config, result = trained(method, dataset)
    _, task = prepare(config)
    scores = load_model(run).scores(task.images[task.test])
    assert scores.shape == (len(task.test), task.n_classes)
    assert not np.isnan(scores).any()
    again = classification_metrics(task.labels[task.test], scores)
    assert again["confusion"] == result["test"]["confusion"]
    for name in ("balanced_accuracy", "average_precision", "roc_auc"):
        assert again[name] == pytest.approx(result["test"][name], abs=1e-6, nan_ok=True), name


@pytest.mark.parametrize("method", one_method_of_every_kind())
def test_a_run_stopped_twice_and_resumed_equals_an_uninterrupted_run(
    method, trained, tmp_path, monkeypatch
):
    whole, config, result = trained(method, "digits")
    monkeypatch.setattr(trainer, "STATUS_EVERY", 0.0)
    run = create_run(tmp_path, config.to_dict())
    stops = []
    for step in (3, 5):

        def stop(status, step=step):
            if status["step"] == step and status["phase"].startswith("round"):
                run.request_stop()

        with contextlib.suppress(Stopped):
            train(run, report=stop)
        stops.append(run.status()["state"])
    assert stops == ["stopped", "stopped"]
    assert train(run)["test"] == result["test"]
    for file in ("checkpoint_path", "model_path"):
        left, right = (load_tensors(getattr(r, file))[0] for r in (whole, run))
        assert left.keys() == right.keys()
        for group, tensors in left.items():
            for name, tensor in tensors.items():
                both = (tensor.numpy(), right[group][name].numpy())
                np.testing.assert_array_equal(*both, err_msg=f"{file} {group}/{name}")


def test_every_method_has_a_file_of_its_name():
    for name in method_names():
        module = get_method(name).__module__.rpartition(".")[2]
        if not name.startswith("clmle"):
            assert module == name.replace("-", "_")


@pytest.mark.parametrize(
    "old", ["threshold-moving", "over-sampling", "cost-median", "clmle-printed"]
)
def test_old_names_of_methods_are_answered_with_the_new_name(old):
    with pytest.raises(InputError, match="is now"):
        get_method(old)


@pytest.mark.parametrize("weights", ["inverse", "relative", "median"])
def test_the_mean_class_weight_of_the_training_images_is_1(weights):
    task = load_digits(16).task("label")
    kind = get_method("class-weighting")
    method = kind(kind.Options(weights=weights), task, 60, 0, 6)
    like = torch.zeros(10, dtype=torch.float64)
    found = method.class_weights(Outputs(like, like, like)).numpy()
    assert (found * method.counts).sum() == pytest.approx(method.counts.sum())
    assert (np.diff(found[np.argsort(method.counts)]) <= 1e-12).all()


def test_every_baseline_is_registered_once():
    assert set(BASELINES.values()) <= set(method_names())
    assert len(set(BASELINES.values())) == len(BASELINES)


def test_titles_and_summaries_are_unique():
    methods = [get_method(name) for name in method_names()]
    for field in ("title", "summary"):
        texts = [getattr(m, field) for m in methods]
        assert all(t.strip() for t in texts)
        twice = {t for t in texts if texts.count(t) > 1}
        assert not twice, f"{field} shared: {twice}"


@pytest.mark.parametrize("method", method_names())
def test_every_option_has_a_help_text(method):
    cls = get_method(method)
    assert cls.__doc__
    for field in dataclasses.fields(cls.Options):
        assert field.metadata.get("help", "").strip(), field.name
        assert field.default is not dataclasses.MISSING
        choices = field.metadata["choices"]
        assert not choices or field.default in choices


@pytest.mark.parametrize("method", ["lmle", "magnet", "clmle-paper"])
def test_cluster_batches_must_fit_into_the_batch_size(method, datasets, tmp_path):
    config = config_of(method, datasets["digits"], samples_per_cluster=9)
    with pytest.raises(InputError, match="do not fit into a batch of 48"):
        train(create_run(tmp_path, config.to_dict()))


@pytest.mark.parametrize("method", ["class-balanced-loss", "ldam-drw"])
@pytest.mark.parametrize("beta", [1.0, -0.1])
def test_beta_of_effective_numbers_is_from_0_to_below_1(method, beta):
    with pytest.raises(InputError, match="beta"):
        config_from_dict({"method": method, "options": {"beta": beta}})


def test_effective_numbers_are_sums_of_powers():
    expected = [sum(0.9**i for i in range(n)) for n in (1, 7, 40)]
    np.testing.assert_allclose(effective_numbers(np.array([1, 7, 40]), 0.9), expected)


def test_norm_statistics_of_adaface_follow_the_lengths_from_the_first_batch_on():
    norms = torch.tensor([3.0, 5.0, 7.0])
    statistics = NormStatistics()
    assert statistics.update(norms) == pytest.approx((5.0, 2.0))
    for _ in range(300):
        mean, spread = statistics.update(2 * norms)
    assert (mean, spread) == pytest.approx((10.0, 4.0), rel=0.03)


@pytest.mark.parametrize("centroids", ["local", "memory"])
def test_gradient_of_clmle_is_that_of_its_loss_while_centroids_move(centroids):
    task = load_digits().task("label")
    # Eq. 9 alone and at full weight: added to a softmax, float32 leaves too few digits of it.
    alone = {"centroids": centroids, "margin_weight": 1.0, "softmax_weight": 0.0}
    options = dataclasses.replace(get_method("clmle").Options(), **alone)
    rng = np.random.default_rng(0)
    directions = [rng.normal(size=(len(task.train), 5)).astype(np.float32) for _ in range(2)]

    def loss_at(step):
        """A fresh method's loss, its features moved by ``step``; and the features."""
        method = get_method("clmle")(options, task, 60, 0, 5)
        method.start_round(0, directions[0])
        batch = method.sample_batch(0)
        values = directions[0][batch.indices] + step * directions[1][batch.indices]
        features = torch.tensor(values, requires_grad=True)
        labels = torch.from_numpy(method.labels[batch.indices])
        logits = torch.zeros(60, method.n_classes)
        before = method.index.centroids.copy()
        found = method.loss(Outputs(features, logits, labels), batch)
        if step == 0:
            found.total.backward()
        found.after_backward()
        assert not np.array_equal(before, method.index.centroids)
        return found.total, features, torch.from_numpy(directions[1][batch.indices])

    _, features, direction = loss_at(0.0)
    slope = float((features.grad * direction).sum())
    step = 1e-3
    after, before = (float(loss_at(s)[0].detach()) for s in (step, -step))
    assert slope == pytest.approx((after - before) / (2 * step), rel=0.02)


def test_sampling_without_replacement_has_the_class_proportions_of_clmle():
    task = load_digits(16).task("label")
    one, other = (get_method(name) for name in ("sampling-without-replacement", "clmle"))
    sampled = one(one.Options(), task, 120, 0, 6)
    clmle = other(dataclasses.replace(other.Options(), max_class_fraction=0.4), task, 120, 0, 6)
    np.testing.assert_allclose(sampled.class_proportions(), clmle.class_proportions())
    drawn = [
        np.bincount(sampled.labels[sampled.sample_batch(s).indices], minlength=10)
        for s in range(200)
    ]
    np.testing.assert_allclose(np.mean(drawn, axis=0), 120 * sampled.class_proportions(), atol=0.15)
    assert (np.array(drawn) <= np.ceil(0.4 * sampled.counts)).all()


@pytest.mark.parametrize("logit_adjustment", [True, False])
def test_logit_adjustment_of_clmle_adds_log_class_proportions(logit_adjustment):
    """Menon and others: the loss is that of logits plus log class proportions."""
    task = load_digits(16).task("label")
    kind = get_method("clmle")
    options = dataclasses.replace(
        kind.Options(), logit_adjustment=logit_adjustment, max_class_fraction=0.3
    )
    method = kind(options, task, 60, 0, 6)
    rng = np.random.default_rng(0)
    method.start_round(0, rng.normal(size=(len(task.train), 6)).astype(np.float32))
    batch = method.sample_batch(0)
    logits = torch.from_numpy(rng.normal(size=(60, 10)))
    labels = torch.from_numpy(task.labels[task.train][batch.indices])
    found = head_loss(logits, labels, method.head_proportions(batch), "softmax")
    counts = np.bincount(labels, minlength=10)
    assert counts.max() > 3 * counts.min()  # small classes have fewer samples in a batch
    scores = logits.numpy() + (np.log(method.class_proportions()) if logit_adjustment else 0)
    wanted = np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(60), labels]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_names_and_options_are_declared_as_they_are_registered():
    from clmle.methods._base import METHODS
    from clmle.methods._declared import declared_methods, declared_options

    for name in method_names():
        get_method(name)
    inside = {n for n, m in METHODS.items() if m.__module__.startswith("clmle.methods.")}
    assert set(declared_methods()) == inside
    for name in inside:
        assert declared_options(name) in (None, get_method(name).Options)
    assert declared_options("clmle") is not None
