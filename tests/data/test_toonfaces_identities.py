"""Illustrated identities: long tail, unseen test identities, balanced pairs, rendered once."""

from contextlib import nullcontext

import numpy as np
import pytest

from clmle import InputError
from clmle.data import load_toonfaces_identities
from clmle.data.base import Dataset
from clmle.data.toonfaces import build
from clmle.data.toonfaces.identities import (
    IdentityPlan,
    appearance,
    draw_pairs,
    open_set_part,
    training_part,
)


@pytest.fixture(scope="module")
def plan():
    return IdentityPlan.of("quick", 40, 0)


@pytest.fixture(scope="module")
def cast(plan):
    return plan.face_specs()


def test_identities_are_in_one_part_and_differ_from_each_other(plan, cast):
    assert len(cast) == plan.total == 5_400
    parts, specs = {}, {}
    for part, number, spec in cast:
        parts.setdefault(number, set()).add(part)
        specs.setdefault(appearance(spec), set()).add(number)
    assert all(len(p) == 1 for p in parts.values())
    assert all(len(n) == 1 for n in specs.values())
    assert [sum(p == {k} for p in parts.values()) for k in (1, 2)] == [100, 1_000]


def test_training_identities_have_a_long_tail(cast):
    numbers = [number for part, number, _ in cast if part == 0]
    sizes = np.bincount(numbers)
    assert sizes.sum() == 3_600
    assert 100 < len(sizes) < 300
    # CASIA-WebFace: 39 % have at most 20 images, 0.43 of the mean.
    assert 0.25 < (sizes < 0.47 * sizes.mean()).mean() < 0.55
    assert sizes.max() > 4 * np.median(sizes)


def test_equal_seeds_give_equal_identities(plan, cast):
    small = IdentityPlan("quick", 16, 0, (150, 20, 4, 30))
    assert small.face_specs() == small.face_specs()
    assert IdentityPlan("quick", 16, 1, small.counts).face_specs() != small.face_specs()


def test_faces_are_rendered_once(monkeypatch):
    few = IdentityPlan("quick", 16, 0, (5, 2, 2, 3))
    assert build.render_state(few).done == 0
    build.load_plan(few, n_workers=1)
    monkeypatch.setattr(build, "_workers", lambda *_: nullcontext())
    faces = build.load_plan(few)
    assert faces.split.tolist() == [0] * 5 + [1] * 4 + [2] * 3
    assert faces.metadata["identity"].tolist() == [number for _, number, _ in few.face_specs()]
    assert len(np.unique(faces.images.reshape(12, -1), axis=0)) == 12
    state = build.render_state(few)
    assert state.done == state.total == 12


def test_parts_rows_and_labels_agree():
    plan = IdentityPlan("quick", 16, 0, (150, 100, 4, 30))
    part, number, spec = zip(*plan.face_specs(), strict=True)
    metadata = {"identity": np.array(number), "style": np.array([x["style"] for x in spec])}
    blank = np.zeros((plan.total, 16, 16, 3), dtype=np.uint8)
    split = np.array(part, dtype=np.int8)
    faces = Dataset("toonfaces-identities quick", blank, split, metadata=metadata)
    training, found = training_part(faces), open_set_part(faces)
    identity = training.labels["identity"]
    assert training.name == found.name == "toonfaces-identities quick"
    assert (len(found.probes), len(found.distractors)) == (400, 30)
    assert (identity[:150] == number[:150]).all()
    assert (identity[150:] == -1).all()
    assert (training.split[150:] == -1).all()
    assert found.identities.tolist() == list(number[150:])
    assert not set(found.identities[found.probes]) & set(found.identities[found.distractors])
    assert len(set(found.identities[found.distractors])) == 30
    assert training.task("identity").class_counts().sum() + (training.split > 0).sum() == 150
    assert set(training.metadata["part"][150:][found.probes]) == {"test"}
    pairs = found.pairs
    assert len(pairs) == 1200
    assert set(pairs.first) | set(pairs.second) <= set(found.probes)
    np.testing.assert_array_equal(
        found.identities[pairs.first] == found.identities[pairs.second], pairs.same
    )


def world(n_people=60, each=5, styles=3):
    owner = np.repeat(np.arange(n_people), each) + 100
    return np.arange(len(owner)) * 2, owner, np.array(list("abc"))[(owner - 100) % styles]


def test_pairs_are_balanced_correct_distinct_and_of_one_style():
    rows, owner, style = world()
    pairs = draw_pairs(rows, owner, style)
    assert len(pairs) == 10 * 2 * 36
    a, b = pairs.first // 2, pairs.second // 2
    np.testing.assert_array_equal(owner[a] == owner[b], pairs.same)
    assert (style[a] == style[b]).all()
    assert (a != b).all()
    assert len({(min(x, y), max(x, y)) for x, y in zip(a, b, strict=True)}) == len(pairs)
    for fold in range(10):
        here = pairs.fold == fold
        assert pairs.same[here].mean() == 0.5
        own = set(owner[a[here]]) | set(owner[b[here]])
        rest = set(owner[a[~here]]) | set(owner[b[~here]])
        assert not own & rest


def test_equal_seeds_give_equal_pairs():
    first, again, other = (draw_pairs(*world(), seed=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(first.first, again.first)
    assert (first.first != other.first).any()


def test_too_few_identities_and_unknown_sizes_are_one_sentence_errors():
    with pytest.raises(InputError, match="pairs to choose"):
        draw_pairs(*world(10, 2))
    with pytest.raises(InputError, match="no size 'huge'"):
        load_toonfaces_identities("huge")
    with pytest.raises(InputError, match="16 to 512"):
        load_toonfaces_identities(image_size=4)
