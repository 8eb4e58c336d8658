"""Ranks, CMC and rates of identification against loops over the definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clmle.errors import InputError
from clmle.metrics.by_frequency import accuracy_by_frequency
from clmle.metrics.identification import cmc, identify


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10**6), fpir=st.sampled_from([0.5, 0.2, 0.1]))
def test_ranks_and_rates_match_their_definitions(seed, fpir):
    rng = np.random.default_rng(seed)
    gallery = rng.choice([-1.0, 1.0], size=(rng.integers(1, 15), 4))  # cosines with many ties
    probes = rng.choice([-1.0, 1.0], size=(rng.integers(2, 30), 4))
    owner = rng.integers(0, 6, size=len(gallery))
    names = rng.integers(0, 9, size=len(probes))
    names[0] = owner[0]
    got = identify(gallery, owner, probes, names, fpirs=[fpir], n_bootstrap=5)
    similarity = probes @ gallery.T / 4
    ranks, own, unmated = [], [], []
    for row, name in zip(similarity, names, strict=True):
        best = {p: max(row[owner == p]) for p in set(owner.tolist())}
        if name in best:
            rest = [s for p, s in best.items() if p != name]
            ranks.append(1 + sum(s >= best[name] for s in rest))
            own.append(best[name])
        else:
            unmated.append(max(best.values()))
    assert got["ranks"].tolist() == ranks
    assert got["rank_one"]["rate"] == pytest.approx(np.mean(np.array(ranks) == 1))
    (row,) = got["tpir_at_fpir"]
    if len(unmated) * fpir < 1:
        assert row["tpir"] is None
        assert "without a mate in the gallery" in row["note"]
        return
    rates = [
        np.mean([r == 1 and s > t for r, s in zip(ranks, own, strict=True)])
        for t in [*unmated, -2]
        if sum(u > t for u in unmated) <= fpir * len(unmated) + 1e-9
    ]
    assert row["tpir"] == pytest.approx(max(rates))


@given(st.lists(st.integers(1, 20), min_size=1, max_size=50), st.integers(1, 30))
def test_cmc_is_the_fraction_of_ranks_up_to_each_rank(ranks, largest):
    at, fraction = cmc(ranks)
    assert fraction.tolist() == [np.mean(np.array(ranks) <= r) for r in at]
    assert fraction[-1] == 1
    cut, part = cmc(ranks, largest)
    assert cut[-1] == largest
    assert part[-1] == np.mean(np.array(ranks) <= largest)


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10**6))
def test_bins_contain_every_image_once_and_report_its_accuracy(seed):
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 60, size=rng.integers(1, 12))
    labels = rng.integers(len(counts), size=40)
    right = rng.random(40) < 0.6
    for ends in (None, [5, 20]):
        rows = accuracy_by_frequency(counts, labels, right, ends=ends, n_bootstrap=5)
        assert sum(row["n"] for row in rows) == 40
        for row in rows:
            inside = (counts[labels] >= row["low"]) & (counts[labels] <= row["high"])
            assert inside.sum() == row["n"]
            assert row["accuracy"] == pytest.approx(right[inside].mean())
            each = [right[inside & (labels == i)].mean() for i in set(labels[inside].tolist())]
            assert row["mean_over_identities"] == pytest.approx(np.mean(each))
            assert row["identities"] == len(each)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cmc([0, 1]), "from 1"),
        (lambda: cmc([]), "at least one"),
        (lambda: identify(np.eye(2), [0, 1], np.eye(2), [2, 3]), "No probe"),
        (lambda: identify(np.eye(2), [0], np.eye(2), [0, 1]), "gallery_identities"),
        (lambda: identify(np.eye(2), [0, 1], np.eye(3), [0, 1, 2]), "same dimension"),
        (lambda: identify(np.zeros((2, 2)), [0, 1], np.eye(2), [0, 1]), "gallery are a row of z"),
        (lambda: accuracy_by_frequency([3], [1], [True]), "from 0 to 0"),
        (lambda: accuracy_by_frequency([3, 2], [0, 1], [True]), "counts must be"),
        (lambda: accuracy_by_frequency([3, 2], [0, 1], [1, 0], ends=[5, 5]), "must increase"),
        (lambda: accuracy_by_frequency([3, 2], [0, 1], [1, 7]), "right must be"),
    ],
)
def test_invalid_input_raises_an_error_that_names_it(call, message):
    with pytest.raises(InputError, match=message):
        call()
