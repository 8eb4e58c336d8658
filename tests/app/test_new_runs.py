"""The form for new runs on the page Train: methods, seeds, options, links."""

import dataclasses

import pytest

from clmle.files import runs_dir
from clmle.presets import preset_config
from clmle.run_folder import create_run, list_runs
from tests.app.pages import linked, page


def test_train_page_starts_one_run_for_each_method(monkeypatch):
    started = []
    monkeypatch.setattr(
        "clmle.jobs.launch",
        lambda config, at_a_time: (
            started.append(config) or create_run(runs_dir(), config.to_dict())
        ),
    )
    app = page("train").run()
    app.selectbox[0].set_value("digits").run()
    next(b for b in app.button if b.label == "Start").click().run()
    assert not app.exception
    assert [s.method for s in started] == ["clmle", "oversampling", "softmax"]
    assert started[0].data.dataset == "digits"
    assert started[0].data == started[1].data
    without = [dataclasses.replace(s.train, calibration="none") for s in started]
    assert without[0] == without[1]


def test_seeds_and_methods_are_queued_and_their_time_estimated(monkeypatch):
    started = []
    monkeypatch.setattr(
        "clmle.jobs.launch",
        lambda config, at_a_time: (
            started.append((config, at_a_time)) or create_run(runs_dir(), config.to_dict())
        ),
    )
    app = page("train").run()
    app.selectbox[0].set_value("digits").run()
    next(t for t in app.text_input if t.label == "Seeds").set_value("0, 3").run()
    next(n for n in app.number_input if n.label == "Runs at a time").set_value(1).run()
    assert any("6 runs, 1 at a time" in c.value for c in app.caption)
    next(b for b in app.button if b.label == "Start").click().run()
    assert [(s.method, s.train.seed, n) for s, n in started] == [
        (method, seed, 1) for seed in (0, 3) for method in ("clmle", "oversampling", "softmax")
    ]  # fmt: skip
    next(t for t in app.text_input if t.label == "Seeds").set_value("zero").run()
    assert "Seeds are 'zero'" in app.error[0].value


def test_a_run_can_be_repeated_with_changes_and_differences_are_listed(monkeypatch):
    config = preset_config("quick", "arcface", "digits")
    changed = dataclasses.replace(config.train, iterations=77)
    create_run(runs_dir(), dataclasses.replace(config, train=changed).to_dict())
    create_run(runs_dir(), config.to_dict())
    name = list_runs(runs_dir())[-1].name
    app = page("train")
    app.query_params["like"] = name
    app.run()
    assert not app.exception
    assert next(n for n in app.number_input if n.label == "iterations").value == 77
    assert app.multiselect[0].value == ["arcface"]
    table = next(d.value for d in app.dataframe if "option" in d.value)
    assert table["option"].to_list() == ["train.iterations"]
    next(b for b in app.button if b.label == "Start from a preset").click().run()
    assert "like" not in app.query_params


def test_margins_in_a_link_are_set_in_the_form_if_they_are_numbers():
    app = page("train")
    app.query_params["between_margin_fraction"], app.query_params["within_margin_fraction"] = (
        "0.3",
        "0.05",
    )
    app.run()
    values = {t.label: t.value for t in app.text_input}
    assert (values["between margin fraction"], values["within margin fraction"]) == ("0.3", "0.05")
    assert values["within weight"] == "1.0"  # a2 has an effect only then
    trials = next(n for n in app.number_input if n.label == "margin trials")
    assert trials.value == 0  # they would choose a1 again
    app.query_params["between_margin_fraction"] = "much"
    app.run()
    assert "are not numbers" in app.error[0].value


def test_a_link_restores_methods_seeds_and_options_of_new_runs():
    """The browser keeps the value of every field in the address, under the field's key."""
    app = linked("train", {"data": "digits"})
    keys = {field.label: field.key for field in (*app.text_input, *app.number_input)}
    chosen = {"Seeds": "3, 4", "within weight": "0.5", "iterations": "77"}
    methods = ["CLMLE (clmle)", "ArcFace (arcface), margins and cosines"]
    query = {keys[label]: value for label, value in chosen.items()} | {"methods": methods}
    again = linked("train", {"data": "digits"} | query)
    assert again.multiselect[0].value == ["clmle", "arcface"]
    values = {field.label: str(field.value) for field in (*again.text_input, *again.number_input)}
    assert {label: values[label] for label in chosen} == chosen


@pytest.mark.parametrize("preset", ["quick", "reference"])
def test_options_follow_the_chosen_data(preset, monkeypatch):
    started = []
    monkeypatch.setattr(
        "clmle.jobs.launch",
        lambda config, at_a_time: (
            started.append(config) or create_run(runs_dir(), config.to_dict())
        ),
    )
    app = page("train").run()  # faces come first
    app.button_group[0].set_value(preset).run()
    for dataset in ("digits", "toonfaces"):
        app.selectbox[0].set_value(dataset).run()
        next(b for b in app.button if b.label == "Start").click().run()
        wanted = preset_config(preset, "clmle", dataset, "Bald" if dataset == "toonfaces" else "")
        assert started[-2].data == dataclasses.replace(
            wanted.data, attribute=started[-2].data.attribute
        )
        assert started[-2].train.mirror == wanted.train.mirror


def test_a_link_sets_data_and_attribute_of_the_form():
    app = page("train")
    app.query_params["data"] = "toonfaces"
    app.query_params["attribute"] = "Bald"
    app.run()
    chosen = {s.label: s.value for s in app.selectbox}
    assert (chosen["Data"], chosen["Attribute"]) == ("toonfaces", "Bald")
    app.query_params["data"] = app.query_params["attribute"] = "/etc"  # no link names a folder
    app.run()
    assert next(s for s in app.selectbox if s.label == "Data").value != "/etc"
    assert not app.exception
