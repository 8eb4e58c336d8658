"""Whatever is handed in works, with a finite result, or is told in a sentence: InputError."""
# ruff: noqa: C408, PT017  (arguments read as they are written in a call; errors may come or not)

import json
import warnings

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import clmle
from clmle import InputError, evaluation, losses
from clmle.classifier import NearestClusterClassifier
from clmle.commands.options import merge, read_config
from clmle.evaluation import (
    attributes,
    by_frequency,
    extremes,
    identification,
    pair_features,
    ranking,
    roc,
    verification,
)
from clmle.settings import DataSettings, Settings, TrainSettings
from clmle.training import settings_from_dict

FUZZ = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
RNG = np.random.default_rng(0)
N, D = 12, 4


def unit(n=N, d=D):
    x = RNG.normal(size=(n, d)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def tensors(**given):
    return {k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in given.items()}


LABELS = np.arange(N) % 3
BINARY = np.arange(N) % 2
SCORES = RNG.normal(size=(N, 2))
SLOTS = dict(
    features=unit(),
    clusters=np.arange(N) % 4,
    cluster_classes=np.array([0, 0, 1, 2]),
    between_margin=0.3,
    within_margin=0.1,
)


def classify(features, labels, cluster_size, n_neighbors, rule):
    model = NearestClusterClassifier(cluster_size, n_neighbors, rule, random_state=0)
    return model.fit(features, labels).predict_proba(features)


def module(features, clusters, cluster_classes, between_margin, within_margin, scale):
    loss = clmle.CLMLELoss(between_margin, within_margin, scale=scale)
    return loss(features, clusters, cluster_classes)


def bounds(class_counts, dim, scale):
    found = clmle.margin_bounds(class_counts, dim)
    return found.between, found.within, found.within_arc, found.feasible_between(3, scale)


# Every public function with arguments that work; each is spoilt below.
CALLS = {
    "balanced_spherical_kmeans": (
        lambda **a: vars(clmle.balanced_spherical_kmeans(**a)),
        dict(features=unit(), cluster_size=4, n_clusters=3, init=unit(3), max_iter=5, seed=0),
    ),
    "balanced_spherical_kmeans of tensors": (
        lambda **a: vars(clmle.balanced_spherical_kmeans(**a)),
        tensors(features=unit(), n_clusters=3, init=unit(3)),
    ),
    "NearestClusterClassifier": (
        classify,
        dict(features=unit(), labels=LABELS, cluster_size=2, n_neighbors=3, rule="mean"),
    ),
    "nearest_cluster_scores": (
        clmle.nearest_cluster_scores,
        dict(
            queries=unit(), centroids=unit(6), centroid_classes=np.arange(6) % 3, n_neighbors=6,
            rule="mean", scale=2.0, n_classes=3,
        ),
    ),
    "nearest_cluster_terms": (
        clmle.nearest_cluster_terms,
        dict(
            query=unit()[0], centroids=unit(6), centroid_classes=np.arange(6) % 3, n_neighbors=6,
            rule="per-class",
        ),
    ),
    "clmle_loss": (
        clmle.clmle_loss,
        tensors(
            **SLOTS, sample_weight=np.ones(N, dtype=np.float32), scale=4.0, denominator="mean",
            centroids=unit(4), reduction="mean", within_weight=0.5,
        ),
    ),
    "clmle_loss with a margin for each class": (
        clmle.clmle_loss,
        tensors(**SLOTS | {"within_margin": np.array([0.1, 0.2, 0.3], dtype=np.float32)}),
    ),
    "CLMLELoss": (module, tensors(**SLOTS, scale=4.0)),
    "cluster_loss": (
        losses.cluster_loss,
        tensors(features=unit(), clusters=np.arange(N) % 4, n_clusters=4, margin=0.3, scale=4.0),
    ),
    "inverse_frequency_weights": (losses.inverse_frequency_weights, tensors(classes=LABELS)),
    "margin_bounds": (bounds, dict(class_counts=np.array([900, 60, 12]), dim=64, scale=8.0)),
    "margin_grid": (clmle.margin_grid, dict(bound=1.5, n=4)),
    "balanced_accuracy": (
        evaluation.balanced_accuracy, dict(confusion=np.array([[5, 1, 0], [2, 3, 1], [0, 0, 4]]))
    ),
    "classification_figures": (
        evaluation.classification_figures,
        dict(labels=LABELS, scores=RNG.normal(size=(N, 3)), n_bootstrap=20, seed=0),
    ),
    "neighbourhoods": (
        lambda **a: vars(evaluation.neighbourhoods(**a)),
        dict(features=unit(), labels=LABELS, k=3),
    ),
    "attribute_figures": (
        attributes.attribute_figures,
        dict(
            labels=np.stack([BINARY, BINARY[::-1]], axis=1), scores=RNG.normal(size=(N, 2, 2)),
            names=["a", "b"], n_bootstrap=20,
        ),
    ),
    "accuracy_by_frequency": (
        by_frequency.accuracy_by_frequency,
        dict(counts=np.array([900, 60, 12]), labels=LABELS, right=BINARY == 1, n_bootstrap=20),
    ),
    "extremes": (extremes.extremes, dict(labels=BINARY, scores=SCORES, count=3)),
    "roc_points": (ranking.roc_points, dict(labels=BINARY, scores=SCORES)),
    "precision_recall_points": (
        ranking.precision_recall_points, dict(labels=BINARY, scores=SCORES)
    ),
    "cmc": (identification.cmc, dict(ranks=np.array([1, 1, 2, 5]), largest=6)),
    "identify": (
        identification.identify,
        dict(
            gallery=unit(), gallery_people=np.arange(N), probes=unit(), probe_people=np.arange(N),
            fpirs=[0.1], n_bootstrap=20,
        ),
    ),
    "pair_similarity": (
        pair_features.pair_similarity,
        dict(features=unit(), left=np.arange(5), right=np.arange(5) + 1),
    ),
    "pair_features": (pair_features.pair_features, dict(images=unit(), mirrored=unit())),
    "pool_templates": (pair_features.pool_templates, dict(features=unit(), template=LABELS)),
    "tar_at_far": (
        roc.tar_at_far,
        dict(genuine=SCORES[:, 0], impostor=RNG.normal(size=40), fars=[0.1], n_bootstrap=20),
    ),
    "auc": (roc.auc, dict(genuine=SCORES[:, 0], impostor=SCORES[:, 1])),
    "fold_accuracy": (
        verification.fold_accuracy,
        dict(similarity=SCORES[:, 0], same=BINARY == 1, fold=np.arange(N) % 3),
    ),
    "verification_figures": (
        verification.verification_figures,
        dict(similarity=SCORES[:, 0], same=BINARY == 1, n_bootstrap=20),
    ),
}  # fmt: skip


def with_value(value):
    def change(x):
        x = x.astype(np.float32).copy()
        x.flat[len(x.flat) // 2] = value
        return x

    return change


def strided(x):
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), dtype=x.dtype)
    wide[..., ::2] = x
    return wide[..., ::2]


SPOILT = {
    "as it is": lambda x: x,
    "NaN": with_value(np.nan),
    "infinite": with_value(np.inf),
    "minus infinite": with_value(-np.inf),
    "huge": with_value(1e38),
    "negative": lambda x: -x if x.dtype != bool else x,
    "zeros": np.zeros_like,
    "a row of zeros": lambda x: np.concatenate([x[:1] * 0, x[1:]]),
    "one value": lambda x: np.ones_like(x),
    "all the same": lambda x: np.repeat(x[:1], len(x), axis=0),
    "one row": lambda x: x[:1],
    "two rows": lambda x: x[:2],
    "a row less": lambda x: x[:-1],
    "a row more": lambda x: np.concatenate([x, x[:1]]),
    "none": lambda x: x[:0],
    "backwards": lambda x: x[::-1].copy(),
    "a view": strided,
    "in another order": np.asfortranarray,
    "half": lambda x: x.astype(np.float16),
    "double": lambda x: x.astype(np.float64),
    "small whole numbers": lambda x: x.astype(np.int8),
    "whole numbers": lambda x: (10 * x).astype(np.int64),
    "bools": lambda x: x > 0,
    "complex": lambda x: x.astype(np.complex64),
    "flat": lambda x: x.reshape(-1),
    "a dimension more": lambda x: x[None],
    "a column more": lambda x: x[..., None],
    "turned": lambda x: x.T.copy(),
    "a number": lambda x: x.flat[0],
    "text": lambda x: np.full(x.shape, "a"),
    "nothing": lambda x: None,
}
ODD = [float("nan"), float("inf"), -1, 0, 1, 2.5, 500, -1e30, "magic", "", [1, 2]]


def spoil(value, how):
    if isinstance(value, np.ndarray):
        return SPOILT[how](value)
    array = SPOILT[how](value.numpy())
    try:
        return torch.from_numpy(np.ascontiguousarray(array))
    except TypeError:  # no tensor holds that
        return value


def oddities(key, value):
    """Odd values in place of ``value``; in a list, odd ones each."""
    if key == "names":
        return [[], ["a"], ["a", "a"]]
    return [[odd] for odd in ODD[:8]] if isinstance(value, list) else ODD


@st.composite
def spoilt_calls(draw, name):
    function, arguments = CALLS[name]
    arguments = dict(arguments)
    arrays = [k for k, v in arguments.items() if isinstance(v, np.ndarray | torch.Tensor)]
    for key in draw(
        st.lists(st.sampled_from(list(arguments)), min_size=1, max_size=2, unique=True)
    ):
        if key in arrays and isinstance(arguments[key], np.ndarray | torch.Tensor):
            arguments[key] = spoil(arguments[key], draw(st.sampled_from(list(SPOILT))))
        else:
            arguments[key] = draw(st.sampled_from(oddities(key, arguments[key])))
    return function, arguments


def numbers(result):
    """All numbers of a result, however nested."""
    if isinstance(result, dict):
        return [x for v in result.values() for x in numbers(v)]
    if isinstance(result, list | tuple):
        return [x for v in result for x in numbers(v)]
    if isinstance(result, torch.Tensor):
        result = result.detach().double().numpy()
    if isinstance(result, np.ndarray | float | np.floating):
        result = np.asarray(result)
        return result.astype(np.float64).reshape(-1) if result.dtype.kind in "fiub" else []
    return []


def is_sentence(error):
    text = str(error)
    return len(text) > 20 and text.rstrip()[-1] in ".)`" and "\n" not in text.strip()


@pytest.mark.parametrize("name", CALLS)
def test_it_works_as_it_is(name):
    function, arguments = CALLS[name]
    found = np.array(list(numbers(function(**arguments))), dtype=float)
    assert len(found)
    assert not np.isnan(found).any()


def outcome(function, arguments):
    """The numbers of the result, or the error: any other than these fails the test."""
    # scikit-learn's estimators are checked by scikit-learn, in its own words.
    allowed = ValueError if function is classify else InputError
    try:
        return np.array(list(numbers(function(**arguments))), dtype=float), None
    except allowed as error:
        return np.empty(0), error if isinstance(error, InputError) else None


@pytest.mark.parametrize("name", CALLS)
def test_a_public_function_gives_numbers_or_a_sentence(name):
    @FUZZ
    @given(spoilt_calls(name))
    def check(call):
        function, arguments = call
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found, trouble = outcome(function, arguments)
            assert trouble is None or is_sentence(trouble), trouble
            # Infinities have a meaning of their own in Eq. 10; NaN has none anywhere.
            assert not np.isnan(found).any()

    check()


# Arrays and tensors that hold the same numbers in ways that torch, or a plain loop, cannot take.
KINDS = {
    "stepped backwards": lambda x: np.ascontiguousarray(x[::-1])[::-1],
    "of another byte order": lambda x: x.astype(x.dtype.newbyteorder()),
    "of more than 64 bits": lambda x: x.astype(np.longdouble),
    "read-only": lambda x: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),
}
ODD_KINDS = {
    "objects": lambda x: x.astype(object),
    "dates": lambda x: np.zeros(x.shape, dtype="M8[s]"),
    "structured": lambda x: np.zeros(x.shape, dtype=[("a", "<f4")]),
    "sparse": lambda x: torch.from_numpy(x).to_sparse(),
    "of no device": lambda x: torch.empty(x.shape, dtype=torch.float32, device="meta"),
    "of 8 bits": lambda x: torch.from_numpy(x).float().to(torch.float8_e4m3fn),
    "nested": lambda x: torch.nested.nested_tensor([torch.zeros(2, 3), torch.zeros(1, 3)]),
    "text": lambda x: "features",
    "a dictionary": lambda x: {"a": 1},
}
OF_ARRAYS = [
    (name, key)
    for name in ("balanced_spherical_kmeans", "nearest_cluster_scores", "clmle_loss",
                 "inverse_frequency_weights", "neighbourhoods", "pair_features", "cmc", "auc")
    for key, value in CALLS[name][1].items()
    if isinstance(value, np.ndarray | torch.Tensor)
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "key"), OF_ARRAYS)
def test_how_numbers_lie_in_memory_does_not_matter(name, key):
    function, arguments = CALLS[name]
    if isinstance(arguments[key], torch.Tensor):
        value = arguments[key]
        kinds = [value.repeat_interleave(2, dim=-1)[..., ::2], value.t().contiguous().t()]
    else:
        kinds = [
            change(arguments[key])
            for how, change in KINDS.items()
            if arguments[key].dtype.kind == "f" or how != "of more than 64 bits"
        ]
    for kind in kinds:
        want = numbers(function(**arguments))
        np.testing.assert_allclose(numbers(function(**arguments | {key: kind})), want, atol=1e-6)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("how", ODD_KINDS)
@pytest.mark.parametrize(("name", "key"), OF_ARRAYS)
def test_what_holds_no_numbers_is_a_sentence(name, key, how):
    function, arguments = CALLS[name]
    value = arguments[key]
    odd = ODD_KINDS[how](value.numpy() if isinstance(value, torch.Tensor) else value)
    found, trouble = outcome(function, arguments | {key: odd})
    assert trouble is None or is_sentence(trouble), trouble
    assert not np.isnan(found).any()


def test_a_class_of_any_number_takes_no_memory():
    weights = losses.inverse_frequency_weights(torch.tensor([0, 0, 2**60, 0]))
    torch.testing.assert_close(weights, torch.tensor([2 / 3, 2 / 3, 2.0, 2 / 3]))
    with pytest.raises(InputError, match="without gaps"):
        clmle.nearest_cluster_scores(unit(), unit(2), np.array([0, 10**12]), 1)


# --- settings -----------------------------------------------------------------------------------

LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=3), st.integers()),
)  # fmt: skip
NAMES = st.sampled_from(["iterations", "seed", "rounds", "ratio", "size", "scale", "prior", "none"])
TREES = st.dictionaries(
    st.sampled_from(["method", "options", "data", "train", "other"]),
    st.one_of(LEAVES, st.dictionaries(NAMES, LEAVES, max_size=3)),
)


def settings_of_file(folder, name, content):
    file = folder / name
    file.write_bytes(content)
    tree = read_config(str(file))
    return merge(settings_from_dict({}), tree), settings_from_dict(tree)


@FUZZ
@given(TREES)
def test_a_settings_tree_is_settings_or_a_sentence(tree):
    for make in (settings_from_dict, lambda t: merge(settings_from_dict({}), t)):
        try:
            made = make(tree)
        except InputError as error:
            assert len(str(error)) > 20
        else:
            assert isinstance(made, Settings)
            assert isinstance(made.train, TrainSettings)
            assert isinstance(made.data, DataSettings)


@pytest.mark.parametrize("name", ["c.toml", "c.json"])
@FUZZ
@given(data=st.data())
def test_a_config_file_is_settings_or_a_sentence(name, data, tmp_path):
    whole_file = json.dumps({"train": {"seed": 1}, "data": {"ratio": 2.0}}).encode()
    if name == "c.toml":
        whole_file = b'method = "softmax"\n[train]\nseed = 1\n[data]\nratio = 2.0\n'
    garbage = st.binary(max_size=40)
    cut = st.integers(0, len(whole_file)).map(lambda n: whole_file[:n])
    trees = TREES.map(lambda t: json.dumps(t).encode())
    content = data.draw(st.one_of(garbage, cut, trees))
    try:
        settings_of_file(tmp_path, name, content)
    except InputError as error:
        assert len(str(error)) > 20
