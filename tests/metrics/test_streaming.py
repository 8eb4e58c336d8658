"""The streaming pass over distractors against the complete matrix of similarities."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from clmle.errors import InputError
from clmle.metrics import _counter, _thresholds
from clmle.metrics.roc import tar_at_far
from clmle.metrics.streaming import open_set

EXACT = ("far", "tar", "threshold", "false_accepts", "allowed", "interval", "note")


def signs(rng, n, d=16):
    """Features whose cosines are multiples of 1/8: exact in float32, with many ties."""
    return rng.choice([-1.0, 1.0], size=(n, d)).astype(np.float32)


def problem(seed, n_probes=40, n_distractors=500):
    rng = np.random.default_rng(seed)
    identities = rng.integers(0, n_probes // 3, size=n_probes)
    identities[1] = identities[0]
    return signs(rng, n_probes), identities, signs(rng, n_distractors)


def naive(probes, identities, distractors, fars):
    """All similarities and metrics in float64."""
    p, d = probes.astype(np.float64) / 4, distractors.astype(np.float64) / 4
    impostor, own = p @ d.T, p @ p.T
    a, b = np.nonzero(np.triu(identities[:, None] == identities, 1))
    return impostor, own, tar_at_far(own[a, b], impostor.ravel(), fars)


def assert_same(found, probes, identities, distractors, fars):
    impostor, own, tars = naive(probes, identities, distractors, fars)
    for got, want in zip(found.tar_at_far, tars, strict=True):
        assert {k: got[k] for k in EXACT} == {k: want[k] for k in EXACT}
    mates = {(i, j) for i, j in np.argwhere(identities[:, None] == identities).tolist() if i != j}
    assert set(zip(found.probe.tolist(), found.mate.tolist(), strict=True)) == mates
    for size, ranks in found.ranks.items():
        nearer = impostor[found.probe, :size] >= own[found.probe, found.mate][:, None]
        assert (ranks == 1 + nearer.sum(axis=1)).all()
    far, tar = found.roc
    genuine = own[found.probe, found.mate]
    for edge, f, t in list(zip(found.edges, far, tar, strict=True))[::97]:
        assert f == pytest.approx((impostor >= edge).mean())
        assert t == pytest.approx((genuine >= edge).mean())
    assert found.impostors.sum() == impostor.size == found.n_impostor


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    n_probes=st.integers(4, 50),
    n_distractors=st.integers(1, 400),
    block=st.integers(8, 200),
    tile=st.tuples(st.integers(3, 20), st.integers(9, 60)),
)
def test_all_metrics_match_the_complete_matrix_with_ties(
    seed, n_probes, n_distractors, block, tile
):
    given_ = problem(seed, n_probes, n_distractors)
    fars = [0.3, 0.1, 0.01, 1e-3]
    found = open_set(*given_, fars=fars, sizes=(1, 10, 100), block=block, tile=tile, n_bootstrap=5)
    assert set(found.ranks) == {s for s in (1, 10, 100) if s < n_distractors} | {n_distractors}
    assert found.passes == 1
    assert_same(found, *given_, fars)


@pytest.mark.parametrize("seed", range(6))
def test_thresholds_are_exact_with_few_stored_similarities(seed, monkeypatch):
    """Small FARs use the largest values, large ones windows predicted from a sample."""
    monkeypatch.setattr(_thresholds, "KEEP", 50)
    monkeypatch.setattr(_thresholds, "SAMPLE", 4000)
    probes, identities, distractors = problem(seed, 40, 3000)
    fars = [0.2, 0.02, 3e-4, 1e-4]
    found = open_set(probes, identities, distractors, fars=fars, block=256, n_bootstrap=5)
    assert_same(found, probes, identities, distractors, fars)


def test_a_wrong_prediction_causes_a_second_pass_over_an_array(monkeypatch):
    monkeypatch.setattr(_thresholds, "KEEP", 50)
    monkeypatch.setattr(_thresholds, "predicted_windows", lambda *a: [(0.99, 1.0)])
    monkeypatch.setattr("clmle.metrics.streaming.predicted_windows", lambda *a: [(0.99, 1.0)])
    given_ = problem(3, 40, 3000)
    found = open_set(*given_, fars=[0.2, 1e-4], block=256, n_bootstrap=5)
    assert found.passes == 2
    assert_same(found, *given_, [0.2, 1e-4])


def test_blocks_and_tensors_give_the_same_metrics():
    probes, identities, distractors = problem(5, 40, 900)
    whole = open_set(probes, identities, distractors, fars=[0.1, 1e-3], sizes=[10, 100])
    for given_, block in ((distractors, 64), (torch.from_numpy(distractors), 301)):
        other = open_set(
            torch.from_numpy(probes), identities, given_, fars=[0.1, 1e-3], sizes=[10, 100],
            block=block,
        )  # fmt: skip
        assert other.tar_at_far == whole.tar_at_far
        assert list(other.ranks) == list(whole.ranks)
        assert all((other.ranks[s] == whole.ranks[s]).all() for s in whole.ranks)


def test_a_repeated_similarity_does_not_exceed_the_stored_number(monkeypatch):
    monkeypatch.setattr(_thresholds, "KEEP", 100)
    probes, identities, _ = problem(0)
    same = np.repeat(probes[:1], 4000, axis=0)
    counters = []
    original = _counter.Counter.add

    def add(self, block, pool):
        original(self, block, pool)
        counters.append(sum(map(len, self.top)))

    monkeypatch.setattr(_counter.Counter, "add", add)
    found = open_set(probes, identities, same, fars=[5e-4], block=128, n_bootstrap=5)
    assert_same(found, probes, identities, same, [5e-4])
    assert max(counters) <= 200


def test_normal_features_match_the_complete_matrix_and_scikit_learn():
    rng = np.random.default_rng(0)
    identities = np.repeat(np.arange(30), 4)
    probes = rng.normal(size=(30, 32))[identities] + 1.2 * rng.normal(size=(120, 32))
    distractors = 3 * rng.normal(size=(5000, 32))  # cosines do not depend on the length
    found = open_set(probes, identities, distractors, sizes=[10, 1000])
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (probes, distractors)]
    impostor = (unit[0] @ unit[1].T).ravel()
    a, b = np.nonzero(np.triu(identities[:, None] == identities, 1))
    genuine = (unit[0] @ unit[0].T)[a, b]
    for got, want in zip(found.tar_at_far, tar_at_far(genuine, impostor), strict=True):
        assert got["tar"] == want["tar"]
        if want["threshold"] is not None:
            assert got["threshold"] == pytest.approx(want["threshold"], abs=1e-6)
    same = np.repeat([1, 0], [len(genuine), len(impostor)])
    area = roc_auc_score(same, np.concatenate([genuine, impostor]))
    assert abs(found.auc - area) <= found.auc_error + 1e-12
    assert found.auc_error < 1e-2
    rates = [row["rate"] for row in found.rank_one]
    assert rates == sorted(rates, reverse=True), "more distractors, lower rank-1 rate"
    for row in found.rank_one:
        assert row["interval"][0] <= row["rate"] <= row["interval"][1]
        assert row["identity_interval"][0] <= row["rate"] <= row["identity_interval"][1]
    assert found.summary()["n_impostor"] == 600_000


def test_a_memory_map_and_an_array_give_the_same_metrics(tmp_path):
    probes, identities, distractors = problem(2, 30, 700)
    np.save(tmp_path / "d.npy", distractors.astype(np.float16))
    mapped = np.load(tmp_path / "d.npy", mmap_mode="r")
    got = open_set(probes, identities, mapped, fars=[0.1], block=100)
    assert got.tar_at_far == open_set(probes, identities, distractors, fars=[0.1]).tar_at_far


def test_progress_is_reported_and_threads_are_restored():
    probes, identities, distractors = problem(4, 30, 350)
    reported = []
    before = torch.get_num_threads()
    found = open_set(
        probes, identities, distractors, fars=[0.1], sizes=[10], block=100,
        progress=lambda done, total: reported.append((done, total)),
    )  # fmt: skip
    assert reported == [(10, 350), (100, 350), (200, 350), (300, 350), (350, 350)]
    assert found.n_distractors == 350
    assert torch.get_num_threads() == before
    assert_same(found, probes, identities, distractors, [0.1])


GOOD = problem(0, 12, 20)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probes": np.ones(3)}, "probes must be"),
        ({"probes": np.full((12, 16), np.nan)}, "probes are NaN or infinite at row 0"),
        ({"probes": np.zeros((12, 16))}, "probes are a row of zeros at row 0"),
        ({"identities": np.arange(12)}, "No identity has two images"),
        ({"identities": np.arange(3)}, "one for each of 12"),
        ({"distractors": np.ones((4, 7))}, r"must be \(m, 16\)"),
        ({"distractors": np.ones((0, 16))}, "at least one row"),
        ({"distractors": np.eye(20, 16)}, "distractors are a row of zeros at row 16"),
        ({"distractors": 7}, r"must be \(m, 16\)"),
        ({"distractors": np.full((4, 16), "a")}, "must be numbers"),
        ({"fars": [0.0]}, "between 0 and 1"),
    ],
)
def test_invalid_input_raises_a_one_sentence_error(change, message):
    probes, identities, distractors = GOOD
    arguments = {"probes": probes, "identities": identities, "distractors": distractors} | change
    with pytest.raises(InputError, match=message) as caught:
        open_set(**arguments)
    assert "\n" not in str(caught.value)
