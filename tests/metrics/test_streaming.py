"""One pass over distractors against computing, keeping and sorting everything."""

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
    """Features whose cosines float32 holds exactly, multiples of 1/8, so with ties everywhere."""
    return rng.choice([-1.0, 1.0], size=(n, d)).astype(np.float32)


def problem(seed, n_probes=40, n_distractors=500):
    rng = np.random.default_rng(seed)
    people = rng.integers(0, n_probes // 3, size=n_probes)
    people[1] = people[0]
    return signs(rng, n_probes), people, signs(rng, n_distractors)


def naive(probes, people, distractors, fars):
    """Everything at once, in float64."""
    p, d = probes.astype(np.float64) / 4, distractors.astype(np.float64) / 4
    impostor, own = p @ d.T, p @ p.T
    a, b = np.nonzero(np.triu(people[:, None] == people, 1))
    return impostor, own, tar_at_far(own[a, b], impostor.ravel(), fars)


def assert_same(found, probes, people, distractors, fars):
    impostor, own, tars = naive(probes, people, distractors, fars)
    for got, want in zip(found.tar_at_far, tars, strict=True):
        assert got["exact"]
        assert {k: got[k] for k in EXACT} == {k: want[k] for k in EXACT}
    mates = {(i, j) for i, j in np.argwhere(people[:, None] == people).tolist() if i != j}
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
def test_all_figures_are_those_of_the_whole_matrix_ties_included(
    seed, n_probes, n_distractors, block, tile
):
    world = problem(seed, n_probes, n_distractors)
    fars = [0.3, 0.1, 0.01, 1e-3]
    found = open_set(*world, fars=fars, sizes=(1, 10, 100), block=block, tile=tile, n_bootstrap=5)
    assert set(found.ranks) == {s for s in (1, 10, 100) if s < n_distractors} | {n_distractors}
    assert found.passes == 1
    assert_same(found, *world, fars)


@pytest.mark.parametrize("seed", range(6))
def test_thresholds_stay_exact_where_few_similarities_are_kept(seed, monkeypatch):
    """Small FARs from the largest values alone, large ones from windows foreseen by a sample."""
    monkeypatch.setattr(_thresholds, "KEEP", 50)
    monkeypatch.setattr(_thresholds, "SAMPLE", 4000)
    probes, people, distractors = problem(seed, 40, 3000)
    fars = [0.2, 0.02, 3e-4, 1e-4]
    found = open_set(probes, people, distractors, fars=fars, block=256, n_bootstrap=5)
    assert_same(found, probes, people, distractors, fars)


def test_a_misled_sample_costs_an_array_a_second_pass(monkeypatch):
    monkeypatch.setattr(_thresholds, "KEEP", 50)
    monkeypatch.setattr(_thresholds, "foresee", lambda *a: [(0.99, 1.0)])
    monkeypatch.setattr("clmle.metrics.streaming.foresee", lambda *a: [(0.99, 1.0)])
    world = problem(3, 40, 3000)
    found = open_set(*world, fars=[0.2, 1e-4], block=256, n_bootstrap=5)
    assert found.passes == 2
    assert_same(found, *world, [0.2, 1e-4])


def test_an_iterator_gives_what_an_array_gives():
    probes, people, distractors = problem(5, 40, 900)
    whole = open_set(probes, people, distractors, fars=[0.1, 1e-3], sizes=[10, 100])
    pieces = np.split(distractors, [1, 7, 300, 301, 850])
    parts = open_set(
        probes, people, iter(pieces), fars=[0.1, 1e-3], sizes=[10, 100], n_distractors=900, block=64
    )
    tensors = open_set(
        torch.from_numpy(probes), people, (torch.from_numpy(p) for p in pieces),
        fars=[0.1, 1e-3], sizes=[10, 100],
    )  # fmt: skip
    for other in (parts, tensors):
        assert other.tar_at_far == whole.tar_at_far
        assert list(other.ranks) == list(whole.ranks)
        assert all((other.ranks[s] == whole.ranks[s]).all() for s in whole.ranks)


def test_an_iterator_that_misleads_gets_bounds_that_hold_and_is_told_so(monkeypatch):
    """Its first block is nothing like the rest; the smallest FARs are exact all the same."""
    monkeypatch.setattr("clmle.metrics.streaming.keep_for", lambda fars, expected: 60)
    for module in (_counter, _thresholds):
        monkeypatch.setattr(module, "buckets", lambda n_probes: 32)
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(20), 3)
    probes = rng.normal(size=(20, 24))[people] + 0.9 * rng.normal(size=(60, 24)) + 1
    blocks = [0.02 * rng.normal(size=(40, 24)) - 3, rng.normal(size=(800, 24)) + 0.2]
    fars = [0.2, 0.02, 1e-3]
    found = open_set(probes, people, iter(blocks), fars=fars, n_distractors=840, n_bootstrap=5)
    true = open_set(probes, people, np.concatenate(blocks), fars=fars, n_bootstrap=5)
    assert [row["exact"] for row in found.tar_at_far] == [True, False, True]
    assert "first block" in found.tar_at_far[0]["note"]
    for got, want in zip(found.tar_at_far, true.tar_at_far, strict=True):
        low, high = got["bounds"] or (want["tar"], want["tar"])
        assert low <= want["tar"] <= high
        assert got["false_accepts"] <= got["allowed"]
    assert found.tar_at_far[2]["tar"] == true.tar_at_far[2]["tar"]
    assert found.tar_at_far[2]["bounds"] is None


def test_one_similarity_many_times_over_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(_thresholds, "KEEP", 100)
    probes, people, _ = problem(0)
    same = np.repeat(probes[:1], 4000, axis=0)
    counters = []
    original = _counter.Counter.add

    def add(self, block, pool):
        original(self, block, pool)
        counters.append(sum(map(len, self.top)))

    monkeypatch.setattr(_counter.Counter, "add", add)
    found = open_set(probes, people, same, fars=[5e-4], block=128, n_bootstrap=5)
    assert_same(found, probes, people, same, [5e-4])
    assert max(counters) <= 200


def test_real_features_agree_with_everything_at_once_and_scikit_learn():
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(30), 4)
    probes = rng.normal(size=(30, 32))[people] + 1.2 * rng.normal(size=(120, 32))
    distractors = 3 * rng.normal(size=(5000, 32))  # of any length: cosine is taken
    found = open_set(probes, people, distractors, sizes=[10, 1000])
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (probes, distractors)]
    impostor = (unit[0] @ unit[1].T).ravel()
    a, b = np.nonzero(np.triu(people[:, None] == people, 1))
    genuine = (unit[0] @ unit[0].T)[a, b]
    for got, want in zip(found.tar_at_far, tar_at_far(genuine, impostor), strict=True):
        assert got["tar"] == want["tar"]
        if want["threshold"] is not None:
            assert got["threshold"] == pytest.approx(want["threshold"], abs=1e-6)
    same = np.repeat([1, 0], [len(genuine), len(impostor)])
    area = roc_auc_score(same, np.concatenate([genuine, impostor]))
    assert abs(found.auc - area) <= found.auc_error + 1e-12
    assert found.auc_error < 1e-2
    shares = [row["share"] for row in found.rank_one]
    assert shares == sorted(shares, reverse=True), "more distractors, fewer first places"
    for row in found.rank_one:
        assert row["interval"][0] <= row["share"] <= row["interval"][1]
        assert row["people_interval"][0] <= row["share"] <= row["people_interval"][1]
    assert found.summary()["n_impostor"] == 600_000


def test_a_memory_mapped_file_gives_what_its_array_gives(tmp_path):
    probes, people, distractors = problem(2, 30, 700)
    np.save(tmp_path / "d.npy", distractors.astype(np.float16))
    mapped = np.load(tmp_path / "d.npy", mmap_mode="r")
    got = open_set(probes, people, mapped, fars=[0.1], block=100)
    assert got.tar_at_far == open_set(probes, people, distractors, fars=[0.1]).tar_at_far


def test_progress_is_told_and_a_stop_gives_exact_figures_of_what_was_seen():
    probes, people, distractors = problem(4, 30, 1000)
    reported = []
    before = torch.get_num_threads()
    found = open_set(
        probes, people, distractors, fars=[0.1], sizes=[10], block=100,
        progress=lambda done, total: reported.append((done, total)), stop=lambda: reported[-1][0] >= 300,
    )  # fmt: skip
    assert reported == [(10, 1000), (100, 1000), (200, 1000), (300, 1000)]
    assert found.stopped
    assert found.n_distractors == 300
    assert torch.get_num_threads() == before
    assert_same(found, probes, people, distractors[:300], [0.1])


GOOD = problem(0, 12, 20)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probes": np.ones(3)}, "probes must be"),
        ({"probes": np.full((12, 16), np.nan)}, "probes are NaN or infinite at row 0"),
        ({"probes": np.zeros((12, 16))}, "probes are a row of zeros at row 0"),
        ({"people": np.arange(12)}, "Nobody has two images"),
        ({"people": np.arange(3)}, "one for each of 12"),
        ({"distractors": np.ones((4, 7))}, r"must be \(m, 16\)"),
        ({"distractors": np.ones((0, 16))}, "at least one row"),
        ({"distractors": iter([])}, "no block"),
        ({"distractors": iter([np.ones((2, 16)), np.ones((2, 3))])}, "differ in shape"),
        ({"distractors": np.eye(20, 16)}, "distractors are a row of zeros at row 16"),
        ({"distractors": 7}, "are a int"),
        ({"distractors": iter([np.ones((2, 16))]), "n_distractors": 5}, "held 2 .* not 5"),
        ({"distractors": np.full((4, 16), "a")}, "must be numbers"),
        ({"fars": [0.0]}, "between 0 and 1"),
    ],
)
def test_bad_input_is_one_sentence(change, message):
    probes, people, distractors = GOOD
    arguments = {"probes": probes, "people": people, "distractors": distractors} | change
    with pytest.raises(InputError, match=message) as caught:
        open_set(**arguments)
    assert "\n" not in str(caught.value)
