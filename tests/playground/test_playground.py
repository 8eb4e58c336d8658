"""The playground: its data and frames, the worker process, and the lessons."""

import dataclasses
import math
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.neighbors import NearestNeighbors

from clmle import InputError
from clmle.playground import (
    CLMLE_CONTROLS,
    LESSONS,
    Attempt,
    PlaygroundProblem,
    PlaygroundRun,
    playground_grid,
    playground_method_names,
    playground_task,
    steps_done,
    train_trajectory,
    training_positions,
)
from clmle.playground import trajectory as trajectory_module
from clmle.playground.methods import ONE_CLUSTER, UNTRAINED, WITHOUT_EQ_9
from clmle.playground.network import LENGTH
from clmle.playground.problem import HELD_OUT, MAJORITY, mode_centers, mode_spread
from clmle.playground.worker import PlaygroundWorker

trained = lru_cache(train_trajectory)
HARD = PlaygroundProblem(ratio=20, modes=3, noise=0.3)


@pytest.fixture
def short(monkeypatch):
    """Trajectories of ten steps."""
    monkeypatch.setattr(trajectory_module, "STEPS", 10)


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from([1, 2, 5, 20, 80]), st.integers(1, 8), st.floats(0.1, 0.5),
    st.sampled_from([2, 3]), st.integers(0, 50),
)  # fmt: skip
def test_counts_follow_the_ratio_and_points_lie_on_the_sphere(ratio, modes, noise, dim, seed):
    problem = PlaygroundProblem(ratio, modes, noise, dim, seed)
    task = playground_task(problem)
    assert task.class_counts().tolist() == [MAJORITY, max(2, round(MAJORITY / ratio))]
    for split in ("validation", "test"):
        assert task.class_counts(split).tolist() == [HELD_OUT, HELD_OUT]
    assert task.images.shape[1] == dim + problem.nuisance
    positions, labels = training_positions(problem)
    np.testing.assert_allclose(np.linalg.norm(positions, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(labels, task.labels[task.train])


def test_points_are_positions_and_nuisance_rotated():
    problem = PlaygroundProblem(nuisance=5, nuisance_std=0.4)
    task = playground_task(problem)
    points, positions = task.images[task.train], training_positions(problem)[0]
    rotated = np.linalg.lstsq(points, positions, rcond=None)[0]  # back to the circle
    np.testing.assert_allclose(points @ rotated, positions, atol=1e-5)
    rest = (points**2).sum(axis=1) - 1
    assert rest.mean() == pytest.approx(5 * 0.4**2, rel=0.1)


def test_a_higher_ratio_keeps_a_subset_of_the_minority_and_the_same_test_points():
    few, many = (playground_task(PlaygroundProblem(ratio=r)) for r in (40, 10))
    assert set(map(tuple, few.images[few.train])) < set(map(tuple, many.images[many.train]))
    np.testing.assert_array_equal(few.images[few.test], many.images[many.test])


@pytest.mark.parametrize("dim", [2, 3])
def test_noise_is_the_standard_deviation_of_a_mode_in_units_of_the_mode_distance(dim):
    problem = PlaygroundProblem(ratio=1, modes=2, noise=0.1, dim=dim)
    task = playground_task(problem)
    places = training_positions(problem)[0]
    cosine = places @ mode_centers(problem).reshape(-1, dim).T
    angle = np.arccos(np.clip(cosine.max(axis=1), -1, 1))
    # Of d - 1 directions along the sphere each has this standard deviation.
    expected = mode_spread(problem) * math.sqrt(dim - 1)
    assert math.sqrt((angle**2).mean()) == pytest.approx(expected, rel=0.1)
    own = task.labels[task.train] == cosine.argmax(axis=1) // problem.modes
    assert own.mean() > 0.99


def test_the_control_without_training_keeps_the_network(short):
    first, *_, last = train_trajectory(HARD, UNTRAINED).frames
    np.testing.assert_array_equal(first.features, last.features)
    trained = train_trajectory(HARD, "clmle").frames
    np.testing.assert_array_equal(first.features, trained[0].features)
    assert not np.array_equal(trained[0].features, trained[-1].features)


def test_a_control_differs_from_clmle_in_one_part():
    clmle, without, one = (
        PlaygroundRun(HARD, name).method.options for name in ("clmle", WITHOUT_EQ_9, ONE_CLUSTER)
    )
    assert without == dataclasses.replace(clmle, margin_weight=0.0)
    assert one == dataclasses.replace(clmle, cluster_size=MAJORITY, min_clusters=1)


@pytest.mark.parametrize("name", playground_method_names())
@pytest.mark.parametrize("dim", [2, 3])
def test_every_method_records_complete_frames(name, dim, short):
    trajectory = train_trajectory(PlaygroundProblem(modes=2, dim=dim), name, clusters=4)
    assert trajectory.steps.tolist() == [0, 5, 10]
    for frame in trajectory.frames:
        assert frame.features.shape == (len(trajectory.labels), dim)
        np.testing.assert_allclose(np.linalg.norm(frame.features, axis=1), 1, atol=1e-5)
        assert frame.regions.shape == (len(playground_grid(dim)),)
        assert (frame.centroids is None) == (trajectory.centroid_classes is None)
        if frame.centroids is not None:
            assert frame.centroids.shape == (len(trajectory.centroid_classes), dim)
            np.testing.assert_array_equal(
                trajectory.centroid_classes[frame.clusters], trajectory.labels
            )


@pytest.mark.parametrize("name", ["sphereface", "clmle"])
def test_the_same_seed_gives_the_same_trajectory(name, short):
    first, second = (train_trajectory(HARD, name).frames[-1] for _ in range(2))
    for field in dataclasses.fields(first):
        np.testing.assert_array_equal(getattr(first, field.name), getattr(second, field.name))
    other = train_trajectory(dataclasses.replace(HARD, seed=1), name).frames[-1]
    assert not np.array_equal(first.features, other.features)


@pytest.mark.parametrize("name", ["softmax", "triplet", "lmle", "clmle"])
def test_regions_and_recall_come_from_the_method_s_own_classifier(name, short):
    import torch

    run = PlaygroundRun(HARD, name)
    *_, last = run.frames()
    classifier = run.classifier(run.outputs(run.task.train)[0])
    grid = LENGTH * playground_grid(2)
    with torch.no_grad():
        logits = run.network.head(torch.from_numpy(grid)).numpy()
    np.testing.assert_array_equal(last.regions, classifier.scores(grid, logits).argmax(axis=1))
    rows = run.task.test
    predicted = classifier.scores(*run.outputs(rows)).argmax(axis=1)
    trajectory = run.trajectory([last])
    truth = run.task.labels[rows]
    assert trajectory.balanced_accuracy[-1] == pytest.approx(
        balanced_accuracy_score(truth, predicted)
    )
    found = predicted[truth == 1] == 1
    assert trajectory.recall[-1, 1] == pytest.approx(found.mean())
    modes = run.task.subpopulations[0][rows]
    worst = min(found[modes[truth == 1] == m].mean() for m in range(HARD.modes, 2 * HARD.modes))
    assert trajectory.worst_mode_recall[-1] == pytest.approx(worst)
    minority = run.outputs(rows)[0][truth == 1].astype(np.float64) / LENGTH
    near = NearestNeighbors(n_neighbors=6).fit(minority).kneighbors(minority)[1]
    own = modes[truth == 1]
    assert trajectory.purity[-1] == pytest.approx(
        (own[near[:, 1:]] == own[:, None]).mean(), abs=0.01
    )


@pytest.mark.parametrize("name", ["oversampling", ONE_CLUSTER])
def test_a_chosen_classifier_reads_the_features_of_every_method_alike(name, short):
    labels = train_trajectory(HARD, name).labels
    for kind in ("nearest-cluster", "nearest-class-mean", "linear"):
        run = PlaygroundRun(HARD, name, 6, kind)
        *_, last = run.frames()
        train = run.outputs(run.task.train)[0].astype(np.float64)
        unit = train / np.linalg.norm(train, axis=1, keepdims=True)
        if kind == "linear":
            weight = {c: 0.5 / (labels == c).sum() for c in (0, 1)}
            model = LogisticRegression(C=1000, class_weight=weight, tol=1e-10).fit(unit, labels)
            expected = model.predict(playground_grid(2))
        elif kind == "nearest-class-mean":
            means = np.stack([unit[labels == c].mean(axis=0) for c in (0, 1)])
            means /= np.linalg.norm(means, axis=1, keepdims=True)
            expected = (playground_grid(2) @ means.T).argmax(axis=1)
        else:  # six clusters of each class, also of the control that has one
            index = run.reader.index
            assert np.bincount(index.classes).tolist() == [6, 6]
            nearest = (playground_grid(2) @ index.centroids.T).argmax(axis=1)
            expected = index.classes[nearest]
        assert (last.regions == expected).mean() > 0.98
    with pytest.raises(InputError, match="nonsense"):
        train_trajectory(HARD, name, 6, "nonsense")


def test_neighbors_and_impostors_match_those_of_scikit_learn(short):
    trajectory = train_trajectory(HARD, "softmax")
    features, labels = trajectory.frames[0].features.astype(np.float64), trajectory.labels
    near = NearestNeighbors(n_neighbors=6).fit(features).kneighbors(features)[1]
    plain = [set(row) - {i} for i, row in enumerate(near)]
    assert (
        np.mean([set(a) == b for a, b in zip(trajectory.frames[0].neighbors, plain, strict=True)])
        > 0.99
    )
    minority = np.flatnonzero(labels == 1)
    share = np.mean([np.mean([labels[j] == 0 for j in plain[i]]) for i in minority])
    assert trajectory.impostors[0] == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"ratio": 0.5}, "ratio"), ({"modes": 0}, "modes"), ({"noise": 0.0}, "noise"),
     ({"dim": 4}, "dim"), ({"seed": -1}, "seed"), ({"nuisance": -1}, "nuisance"),
     ({"nuisance_std": 2.0}, "nuisance_std")],
)  # fmt: skip
def test_a_parameter_out_of_range_is_named(change, message):
    with pytest.raises(InputError, match=message):
        PlaygroundProblem(**change)


def test_an_unknown_method_and_an_invalid_number_of_clusters_are_named():
    with pytest.raises(InputError, match="nonsense"):
        train_trajectory(HARD, "nonsense")
    with pytest.raises(InputError, match="clusters is 0"):
        train_trajectory(HARD, "clmle", clusters=0)


def test_the_worker_gives_the_same_trajectory_and_survives_cancellation_and_errors():
    worker = PlaygroundWorker()
    try:
        stopped = worker.frames(HARD, "clmle", 12)
        next(stopped)
        stopped.close()
        with pytest.raises(InputError, match="nonsense"):
            list(worker.frames(HARD, "nonsense", 12))
        *frames, trajectory = worker.frames(HARD, "softmax", 12)
        mine = trained(HARD, "softmax")
        assert len(frames) == len(mine.frames) == 41
        np.testing.assert_array_equal(trajectory.frames[-1].features, mine.frames[-1].features)
        np.testing.assert_array_equal(trajectory.recall, mine.recall)
    finally:
        worker.close()


# --- lessons ----------------------------------------------------------------------------------

# One way to pass each step: changes of the lesson's problem, clusters, methods. Without changes,
# seeds are tried as the step asks: on which CLMLE is ahead depends on the processor.
WAYS = {
    "break-softmax": [
        ({}, None, ["softmax"]),
        ({"ratio": 10}, None, ["softmax"]),
        ({"ratio": 40}, None, ["softmax"]),
    ],
    "repair-it": [
        ({}, None, ["softmax"]),
        ({}, None, ["softmax", "oversampling"]),
        ({"modes": 8}, None, ["softmax", "oversampling"]),
    ],
    "controls": [
        ({}, None, ["clmle", UNTRAINED]),
        (None, None, ["clmle", *CLMLE_CONTROLS]),
        (None, None, ["clmle", *CLMLE_CONTROLS]),
        ({"noise": 0.8}, None, ["clmle"]),
    ],
}


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_each_step_is_open_before_its_task_is_done_and_passed_after(lesson):
    ways = WAYS[lesson.name]
    assert len(ways) == len(lesson.steps)
    attempt = Attempt(lesson.problem, lesson.clusters, {})
    for number, (change, clusters, methods) in enumerate(ways):
        assert not lesson.steps[number].reached(attempt)
        clusters = clusters or lesson.clusters
        for tried in [{"seed": seed} for seed in range(12)] if change is None else [change]:
            problem = dataclasses.replace(lesson.problem, **tried)
            trajectories = {name: trained(problem, name, clusters) for name in methods}
            attempt = Attempt(problem, clusters, trajectories)
            if steps_done(lesson, attempt, number) >= number + 1:
                break
        assert steps_done(lesson, attempt, number) >= number + 1
    assert steps_done(lesson, attempt, len(lesson.steps)) == len(lesson.steps)
