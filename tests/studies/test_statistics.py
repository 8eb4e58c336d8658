"""Statistics over seeds and tasks agree with SciPy and with plain loops."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from clmle.errors import InputError
from clmle.studies.convergence import iterations_to, learning_curves
from clmle.studies.statistics import (
    common_block,
    complete_variants,
    gain_by_task,
    metric_interval,
    paired_difference,
    rank_correlation,
    trials_frame,
    variant_table,
)
from tools.report.convergence import crossings, levels

TASKS, SEEDS = ("d/a", "d/b", "d/c"), (0, 1, 2, 3)


def trial(variant, task, seed, value, *, counts=(90, 10), ratio=1.0, course=None):
    figures = {
        "balanced_accuracy": value, "accuracy": value, "average_precision": value / 2,
        "roc_auc": value, "mcc": value - 0.5, "recall": [0.9, value], "confusion": [[1, 0], [0, 1]],
    }  # fmt: skip
    return {
        "key": f"{variant}{task}{seed}{ratio}", "variant": variant, "method": variant,
        "task": task, "seed": seed, "class_counts": list(counts), "validation": figures,
        "test": figures, "learning_curve": course or [], "seconds": 2.0,
        "config": {"data": {"ratio": ratio}},
    }  # fmt: skip


def grid(seed=0, names=("one", "two")):
    """Random figures of every variant on every cell, and as arrays (tasks, seeds)."""
    rng = np.random.default_rng(seed)
    values = {n: rng.uniform(0.5, 1, (len(TASKS), len(SEEDS))) for n in names}
    trials = [
        trial(n, t, s, values[n][i, j])
        for n in names
        for i, t in enumerate(TASKS)
        for j, s in enumerate(SEEDS)
    ]
    return trials, values


def test_table_is_the_mean_over_tasks_then_over_seeds():
    trials, values = grid()
    table = variant_table(trials_frame(trials))
    for name, matrix in values.items():
        per_seed = [sum(matrix[:, j]) / len(TASKS) for j in range(len(SEEDS))]
        mean = sum(per_seed) / len(SEEDS)
        spread = math.sqrt(sum((v - mean) ** 2 for v in per_seed) / (len(SEEDS) - 1))
        row = table.loc[name]
        assert row["balanced_accuracy"] == pytest.approx(mean)
        assert row["spread"] == pytest.approx(spread)
        assert row["average_precision"] == pytest.approx(mean / 2)
        assert (row["trials"], row["tasks"], row["seeds"], row["left_out"]) == (12, 3, 4, 0)
    assert table["balanced_accuracy"].is_monotonic_decreasing


def test_recall_of_the_smallest_class_follows_the_training_counts():
    few_last = trials_frame([trial("m", "d/a", 0, 0.6, counts=(90, 10))]).iloc[0]
    few_first = trials_frame([trial("m", "d/a", 0, 0.6, counts=(10, 90))]).iloc[0]
    assert (few_last["recall_rarest"], few_last["recall_commonest"]) == (0.6, 0.9)
    assert (few_first["recall_rarest"], few_first["recall_commonest"]) == (0.9, 0.6)
    assert few_last["minority"] == pytest.approx(0.1)


@pytest.mark.parametrize("seed", range(5))
def test_paired_interval_is_that_of_scipy(seed):
    trials, values = grid(seed)
    d = paired_difference(trials_frame(trials), "one", "two")
    peer = stats.ttest_rel(values["one"].mean(axis=0), values["two"].mean(axis=0))
    low, high = peer.confidence_interval(0.95)
    assert (d.low, d.high) == (pytest.approx(low), pytest.approx(high))
    assert d.mean == pytest.approx((values["one"] - values["two"]).mean())
    assert d.won == sum(
        values["one"][i, j] > values["two"][i, j] for i in range(3) for j in range(4)
    )
    assert (d.trials, d.tasks, d.seeds, d.left_out) == (12, 3, 4, 0)


def test_a_trial_with_two_results_is_refused():
    trials, _ = grid()
    with pytest.raises(InputError, match="two results"):
        paired_difference(trials_frame([*trials, trials[0]]), "one", "two")


def test_difference_the_other_way_round_is_its_mirror():
    frame = trials_frame(grid()[0])
    d, back = paired_difference(frame, "one", "two"), paired_difference(frame, "two", "one")
    assert back.mean == pytest.approx(-d.mean)
    assert (back.low, back.high) == (pytest.approx(-d.high), pytest.approx(-d.low))
    assert back.bootstrap == (pytest.approx(-d.bootstrap[1]), pytest.approx(-d.bootstrap[0]))


def test_the_bootstrap_resamples_tasks_and_seeds_like_a_plain_loop():
    trials, values = grid(3)
    d = paired_difference(trials_frame(trials), "one", "two", n_bootstrap=4_000)
    matrix, rng = values["one"] - values["two"], np.random.default_rng(1)
    means = []
    for _ in range(4_000):
        tasks = rng.integers(len(TASKS), size=len(TASKS))
        seeds = rng.integers(len(SEEDS), size=len(SEEDS))
        means.append(matrix[tasks][:, seeds].mean())
    assert d.bootstrap == pytest.approx(np.quantile(means, [0.025, 0.975]), abs=0.01)


def test_only_common_trials_count_and_the_others_are_reported():
    trials, values = grid(2)
    # "two" has no result on the last seed's first task: that seed is not compared.
    trials = [c for c in trials if (c["variant"], c["task"], c["seed"]) != ("two", "d/a", 3)]
    d = paired_difference(trials_frame(trials), "one", "two")
    peer = (values["one"] - values["two"])[:, :3].mean(axis=0)
    assert d.mean == pytest.approx(peer.mean())
    assert (d.trials, d.seeds, d.tasks) == (9, 3, 3)
    assert d.left_out == 23 - 18
    table = variant_table(trials_frame(trials))
    assert table["left_out"].to_dict() == {"one": 3, "two": 2}


def test_a_task_that_one_variant_lacks_is_dropped_instead_of_the_seeds():
    trials = [c for c in grid()[0] if (c["variant"], c["task"]) != ("two", "d/b")]
    d = paired_difference(trials_frame(trials), "one", "two")
    assert (d.tasks, d.seeds) == (2, 4)


@settings(max_examples=25, deadline=None)
@given(st.sets(st.tuples(*map(st.sampled_from, (("one", "two"), TASKS, SEEDS))), min_size=1))
def test_a_common_block_is_full_and_the_same_for_all(have):
    block = common_block(trials_frame([trial(v, t, s, 0.5) for v, t, s in sorted(have)]))
    variants = {v for v, _, _ in have}
    kept = set(zip(block["variant"], block["task"], block["seed"], strict=True))
    assert kept <= have
    assert kept == set(itertools.product(variants, set(block["task"]), set(block["seed"]))) or (
        not kept
    )


def test_variants_without_a_common_trial_have_no_difference():
    frame = trials_frame([trial("one", "d/a", 0, 0.5), trial("two", "d/b", 0, 0.5)])
    assert paired_difference(frame, "one", "two") is None
    assert paired_difference(frame, "one", "three") is None


@given(st.lists(st.floats(0, 1), max_size=6))
def test_an_interval_is_inside_the_range_of_its_metric(values):
    """Only three different values or more have one."""
    low, high = metric_interval(values, "balanced_accuracy")
    if len(values) < 3 or len(set(values)) == 1:
        assert (low, high) == (None, None)
    else:
        assert 0 <= low <= np.mean(values) + 1e-9
        assert np.mean(values) - 1e-9 <= high <= 1
    wide, _ = metric_interval([-0.9, 0.9, -0.9], "mcc")
    assert wide == -1


def test_one_seed_has_no_interval():
    d = paired_difference(
        trials_frame([trial(n, "d/a", 0, v) for n, v in (("one", 0.7), ("two", 0.6))]), "one", "two"
    )
    assert d.mean == pytest.approx(0.1)
    assert (d.low, d.high, d.bootstrap) == (None, None, None)


def test_a_variant_with_few_trials_is_left_out_of_the_block():
    trials = [*grid()[0], trial("three", "d/a", 0, 0.9)]
    kept, few = complete_variants(trials_frame(trials))
    assert few == {"three": 1}
    assert set(kept["variant"]) == {"one", "two"}


def test_gain_by_task_is_sorted_by_imbalance_and_has_scipys_interval():
    counts = {"d/a": (98, 2), "d/b": (52, 48), "d/c": (20, 80)}
    trials, values = grid(4)
    for c in trials:
        c["class_counts"] = counts[c["task"]]
    table = gain_by_task(trials_frame(trials), "one", "two")
    assert list(table["task"]) == ["d/b", "d/c", "d/a"]
    assert list(table["level"]) == pytest.approx([2, 30, 48])
    for _, row in table.iterrows():
        i = TASKS.index(row["task"])
        low, high = stats.ttest_rel(values["one"][i], values["two"][i]).confidence_interval()
        assert (row["low"], row["high"]) == (pytest.approx(low), pytest.approx(high))


def test_rank_correlation_is_that_of_ranks():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 15))
    rho, _ = rank_correlation(x, y)
    assert rho == pytest.approx(np.corrcoef(stats.rankdata(x), stats.rankdata(y))[0, 1])
    assert rank_correlation([1, 2], [1, 2]) is None
    assert rank_correlation([1, 1, 1], [1, 2, 3]) is None


def test_a_malformed_summary_is_a_one_sentence_error():
    broken = trial("one", "d/a", 0, 0.5)
    del broken["test"]["recall"]
    with pytest.raises(InputError, match=r"'one'.*recall.*run that trial again"):
        trials_frame([broken])


def test_iterations_to_a_level_are_interpolated():
    course = [[10, 1.0, 0.5], [20, 3.0, 0.7], [30, 4.0, 0.6], [40, 6.0, 0.9]]
    assert iterations_to(course, 0.6) == (pytest.approx(15), pytest.approx(2))
    assert iterations_to(course, 0.7) == (20, 3)
    assert iterations_to(course, 0.75) == (pytest.approx(35), pytest.approx(5))
    assert iterations_to(course, 0.95) is None
    assert iterations_to(course, 0.4) == (10, 1)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=9), st.floats(0.01, 0.99))
def test_the_level_is_reached_at_the_crossing_and_not_before(values, level):
    course = [[10 * i, float(i), v] for i, v in enumerate(values)]
    found = iterations_to(course, level)
    if found is None:
        assert max(values) < level
        return
    steps = [line[0] for line in course]
    fine = np.linspace(0, found[0], 200)[:-1]
    if found[0] > 0:
        assert np.interp(found[0], steps, values) == pytest.approx(level, abs=1e-6)
        assert (np.interp(fine, steps, values) < level + 1e-9).all()


def test_a_learning_curve_is_the_mean_over_tasks_of_every_seed():
    lines = {("d/a", 0): (0.5, 0.9), ("d/b", 0): (0.7, 0.7), ("d/a", 1): (0.4, 0.8),
             ("d/b", 1): (0.6, 0.6)}  # fmt: skip
    trials = [
        trial("one", t, s, 0.5, course=[[10, 1, a], [20, 2, b]]) for (t, s), (a, b) in lines.items()
    ]
    course = learning_curves(trials)["one"]
    assert course.values == pytest.approx(np.array([[0.6, 0.8], [0.5, 0.7]]))
    assert [round(steps, 6) for steps, _ in crossings(course, 0.7)] == [15, 20]
    # A task that another variant did not run is left out and counted.
    both = learning_curves(
        [*trials, trial("two", "d/a", 0, 0.5, course=[[10, 1, 0.5], [20, 2, 0.6]])]
    )
    assert both["one"].values[0] == pytest.approx([0.5, 0.9])
    assert (both["one"].left_out, both["two"].left_out) == (2, 0)


def test_levels_are_reached_by_two_variants_at_least():
    tops = {"one": 0.93, "two": 0.81, "three": 0.62}
    trials = [trial(n, "d/a", 0, t, course=[[10, 1, 0.5], [20, 2, t]]) for n, t in tops.items()]
    found = levels(learning_curves(trials))
    assert found[-1] == 0.8
    assert all(sum(t >= level for t in tops.values()) >= 2 for level in found)
    assert levels(learning_curves(trials[:1])) == []


def test_seconds_are_compared_on_one_machine_only():
    trials = [trial(n, t, s, 0.5) for n in ("one", "two") for t in TASKS for s in SEEDS]
    for c in trials:
        fast = c["variant"] == "two" and c["seed"] < 3  # as if run on a faster machine
        c["machine"] = {"device": "fast" if fast else "slow", "threads": 1}
        c["seconds"] = 1.0 if fast else 8.0
    table = variant_table(trials_frame(trials))
    assert table["seconds"].to_dict() == {"one": 8.0, "two": 8.0}
    for c in trials:
        if c["variant"] == "two":
            c["machine"] = {"device": "fast", "threads": 1}
    table = variant_table(trials_frame(trials))
    assert table["seconds"].notna().any()
    assert table["seconds"].isna().sum() == 1  # no machine ran both
