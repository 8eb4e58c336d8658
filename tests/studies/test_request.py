"""A request has the same trials in the app and on the command line; the forecast adds up."""

import pytest

from clmle.cli import ablate, sweep
from clmle.cli.ablate import request_of
from clmle.errors import InputError
from clmle.studies.catalog import STUDIES
from clmle.studies.eta import estimate_seconds, forecast
from clmle.studies.request import StudyRequest
from clmle.studies.trials import Trial

REQUESTS = [
    StudyRequest("table7"),
    StudyRequest("components", seeds=(3, 4), methods=("clmle",), ratios=(2.5, 10.0)),
    StudyRequest("grid", dataset="digits", methods=("softmax", "focal"), preset="quick",
            grid=("train.iterations=5,6", "train.learning_rate=0.01")),
    StudyRequest("leaderboard", calibration="threshold"),
    StudyRequest("classifier", attributes=("Bald", "Eyeglasses"), preset="standard"),
]  # fmt: skip


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: r.study)
def test_command_and_request_have_the_same_trials(request_):
    command, *words = request_.arguments()
    values = {"ablate": ablate, "sweep": sweep}[command].make_parser().parse(words)
    request = request_of(values, getattr(values, "study", "grid"))
    asked = [(c.variant, c.key) for c in request.trials()]
    assert asked == [(c.variant, c.key) for c in request_.trials()]
    assert len(asked) > 1


def test_a_table_at_equal_calibration_has_every_method_once():
    trials = StudyRequest("leaderboard", calibration="balanced-logistic", seeds=(0,)).trials()
    assert {t.config.train.calibration for t in trials} == {"balanced-logistic"}
    assert [t.variant for t in trials if t.config.data.attribute == "Bald"] == [
        "clmle", "oversampling", "center", "center-invariant", "contrastive", "softmax"
    ]  # fmt: skip


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: r.study)
def test_a_request_is_restored_from_json(request_):
    import json

    assert StudyRequest.from_dict(json.loads(json.dumps(request_.to_dict()))) == request_


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"dataset": "digits"}, "it names none"),
        ({"study": ["classifier"]}, "study is ['classifier']"),
        ({"study": "classifier", "dataset": 5}, "dataset is 5"),
        ({"study": "classifier", "preset": None}, "preset is None"),
        ({"study": "classifier", "grid": [5]}, "grid is [5]"),
        ({"study": "classifier", "attributes": ["Bald", 5]}, "attributes is ['Bald', 5]"),
        ({"study": "classifier", "seeds": ["x"]}, "seeds is ['x']"),
        ({"study": "classifier", "ratios": [None]}, "ratios is [None]"),
        ({"study": "classifier", "methods": {"clmle": 1}}, "methods is {'clmle': 1}"),
    ],
)
def test_a_malformed_request_is_a_one_sentence_error(values, why):
    with pytest.raises(InputError) as reported:
        StudyRequest.from_dict(values)
    assert str(reported.value) == f"This is no request for a study ({why})."


def test_a_request_without_changes_has_the_trials_of_the_study():
    for name in ("table7", "components", "imbalance"):
        s = STUDIES[name]
        many = len(s.variants) * len(s.attributes) * len(s.seeds) * max(1, len(s.ratios))
        assert len(StudyRequest(name).trials()) == many


def summary(trial: Trial, seconds: float, **config):
    tree = trial.config.to_dict()
    for part, values in config.items():
        tree[part].update(values)
    return {
        "key": trial.key, "variant": trial.variant, "method": trial.config.method,
        "seconds": seconds, "config": tree, "machine": {"device": "an abacus"},
    }  # fmt: skip


def test_the_forecast_counts_trials_and_adds_their_seconds():
    trials = StudyRequest(
        "grid", dataset="digits", methods=("softmax", "clmle"), seeds=(0, 1)
    ).trials()
    nothing = forecast(trials, [], jobs=2)
    assert (nothing.trials, nothing.done, nothing.seconds) == (4, 0, None)
    results = [summary(trials[0], 10.0), summary(trials[1], 30.0)]
    found = forecast(trials, results, jobs=2)
    assert (found.done, found.left) == (2, 2)
    assert found.seconds == estimate_seconds(trials[2:], results, 2) == (10 + 30) / 2
    done = forecast(trials, results, [summary(c, 1.0) for c in trials[2:]], jobs=2)
    assert (done.left, done.seconds) == (0, 0.0)


def test_results_of_other_machines_count_in_proportion_to_iterations():
    trials = StudyRequest(
        "grid", dataset="digits", methods=("softmax", "clmle"), seeds=(0,)
    ).trials()
    longer = {"iterations": 4 * trials[0].config.train.iterations}
    elsewhere = [
        summary(trials[0], 40.0, train=longer),
        summary(trials[1], 80.0, train=longer),
        summary(trials[1], 1e6, train={"backbone": "deepid2"}),  # another network is no basis
    ]
    found = forecast(trials, [], [], elsewhere, jobs=1)
    assert found.seconds == pytest.approx(10 + 20)
    assert "abacus" in found.basis
    assert found.done == 0
    assert forecast(trials, [], [], elsewhere[2:], jobs=1).seconds is None
