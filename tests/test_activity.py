"""The log says how much Eq. 9 does, and warns where it does nothing."""

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from clmle import create_run, preset_config, train
from clmle.activity import inactivity_warning
from clmle.data.base import Task
from clmle.losses import clmle_loss
from clmle.methods.clmle.terms import TermSum
from clmle.training.neighborhoods import neighborhood_metrics, purity_of_clusters


def lines(values, **more):
    return [{"step": 5 * (i + 1), "active_between": v} | more for i, v in enumerate(values)]


def test_an_inactive_loss_is_named_with_what_to_do():
    assert inactivity_warning([{"step": 5}]) is None
    assert inactivity_warning(lines([0.0] * 20)) is None  # 100 steps
    assert "between_margin_fraction" in inactivity_warning(lines([1.0] * 50 + [0.0] * 50))
    assert inactivity_warning(lines([0.0] * 60 + [0.5] * 40)) is None
    assert inactivity_warning(lines([0.0] * 60, active_within=0.3)) is None


def test_activity_and_gradient_fraction_match_a_direct_computation():
    torch.manual_seed(0)
    features = torch.randn(12, 4, requires_grad=True)
    labels = torch.arange(12) % 2
    centroids, classes = F.normalize(torch.randn(4, 4), dim=1), torch.tensor([0, 0, 1, 1])
    unit = F.normalize(features, dim=1)
    hinges = clmle_loss(
        unit, None, classes, 0.6, 0.2, centroids=centroids, labels=labels, n_negative_clusters=1,
        scale=4.0, reduction="terms",
    )  # fmt: skip
    head = (features * torch.arange(4.0)).square().mean(dim=1)
    terms = TermSum(features, (12,))
    terms.add("softmax", 1.0, head, head.mean())
    margin = hinges.sum(dim=0)
    terms.add("embedding", 0.5, margin, margin.mean())
    counted = torch.arange(12) < 9
    terms.log_activity(hinges, counted, True)
    similarity = (unit @ centroids.T).detach()
    for key, margin_of in (("active_between", 0.6), ("active_within", 0.2)):
        active = []
        for i in range(9):
            own_class = [k for k in range(4) if classes[k] == labels[i]]
            own = max(own_class, key=lambda k: float(similarity[i, k]))
            other = [k for k in range(4) if (classes[k] != labels[i])]
            rest = other if key == "active_between" else [k for k in own_class if k != own]
            nearest = max(float(similarity[i, k]) for k in rest)
            active.append(float(similarity[i, own]) - margin_of < nearest)
        assert float(terms.parts[key]) == pytest.approx(np.mean(active))
    norms = [
        torch.autograd.grad(value, features, retain_graph=True)[0].norm()
        for value in (0.5 * margin.mean(), head.mean())
    ]
    expected = float(norms[0] / (norms[0] + norms[1]))
    assert float(terms.parts["gradient_fraction"]) == pytest.approx(expected, rel=1e-5)


def test_impostors_and_purity_of_a_task():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [30, 10])
    hidden = np.r_[np.repeat([0, 1], 15), np.repeat([2, 3], 5)]
    task = Task(
        "toy", np.zeros((40, 2, 2, 1), np.uint8), labels, ("many", "few"), *[np.arange(40)] * 3,
        subpopulations=(hidden, ("a", "b", "c", "d")),
    )  # fmt: skip
    apart = np.eye(4)[hidden] + 0.01 * rng.normal(size=(40, 4))
    found = neighborhood_metrics(task, task.test, apart)
    assert found["impostor_rate"][0] == 0
    assert found["minority_impostor_rate"] == found["impostor_rate"][1]
    assert found["neighbor_purity"] == pytest.approx(4 / 5)  # the fifth neighbor is of the other
    assert purity_of_clusters(task, hidden) == 1
    assert purity_of_clusters(task, labels) == 0.5
    assert purity_of_clusters(task, None) is None


def test_retrieval_of_classes_left_out_is_the_precision_of_their_queries():
    rng = np.random.default_rng(1)
    hidden = np.repeat([0, 1, 2], 30)
    labels = np.repeat([0, 0, 1], 30)
    train = np.r_[0:15, 60:75]  # nothing of sub-population 1
    test = np.setdiff1d(np.arange(90), train)
    task = Task(
        "toy", np.zeros((90, 2, 2, 1), np.uint8), labels, ("x", "y"), train, train, test,
        subpopulations=(hidden, ("a", "b", "c")),
    )  # fmt: skip
    features = rng.normal(size=(len(test), 3)) + 2 * np.eye(3)[hidden[test]]
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    groups = hidden[test]
    fractions = []
    for i in np.flatnonzero(groups == 1):
        distance = ((unit - unit[i]) ** 2).sum(axis=1)
        near = [j for j in np.argsort(distance) if j != i][:10]
        fractions.append(np.mean(groups[near] == 1))
    found = neighborhood_metrics(task, test, features)
    assert found["unseen_retrieval"] == pytest.approx(np.mean(fractions))
    assert 0.5 < found["unseen_retrieval"] < 1
    assert "unseen_retrieval" not in neighborhood_metrics(
        dataclasses.replace(task, train=np.arange(90)), test, features
    )


@pytest.mark.parametrize("method", ["clmle", "clmle-paper"])
def test_a_run_logs_activity_and_impostors(method, tmp_path):
    config = preset_config("quick", method, "digits")
    budget = {"iterations": 12, "pretrain_iterations": 4, "rounds": 2, "backbone": "tiny"}
    run = create_run(tmp_path, dataclasses.replace(
        config, train=dataclasses.replace(config.train, **budget)
    ).to_dict())  # fmt: skip
    result = train(run)
    active = [m for m in run.metrics("train") if "active_between" in m]
    assert active
    assert all(0 <= m["active_between"] <= 1 and 0 <= m["gradient_fraction"] <= 1 for m in active)
    assert ("active_within" in active[-1]) == (method == "clmle-paper")
    assert 0 <= run.metrics("validation")[-1]["minority_impostor_rate"] <= 1
    assert len(result["test"]["impostor_rate"]) == 10
    assert run.warnings() == []
