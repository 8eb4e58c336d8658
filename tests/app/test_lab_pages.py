"""The pages Ablations, Attributes and Paper without a browser: results, links, broken files."""

import json
import math
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.widgets.spreadsheet import as_csv
from app.widgets.table import latex
from clmle.files import runs_dir
from clmle.run_folder import list_runs
from clmle.studies import claim_results, read_studies
from clmle.studies.background import BackgroundStudy
from clmle.studies.request import StudyRequest
from clmle.studies.statistics import reference_difference
from clmle.studies.study_figures import printed_table, study_table
from clmle.studies.study_results import read_study

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "docs" / "results"


def page(name, **query):
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=600)
    app.switch_page(f"views/{name}.py")
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return app


def value(app, label):
    return next(s.value for s in app.selectbox if s.label == label)


def own(name, lines):
    """A results file of the visitor."""
    path = runs_dir() / "studies" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(lines)
    return path


def test_shipped_results_are_shown_at_once_with_the_package_s_numbers():
    app = page("ablations", study="classifier (shipped)")
    assert not app.error
    shown = app.dataframe[0].value
    wanted = study_table(read_study("classifier", SHIPPED / "classifier.jsonl"))
    assert shown["variant"].to_list() == wanted["variant"].to_list()
    assert shown["balanced_accuracy"].to_list() == wanted["balanced_accuracy"].to_list()
    assert any("trials: 4" in c.value for c in app.caption)


def test_a_link_restores_study_figure_and_metric():
    app = page("ablations", study="imbalance (shipped)", figure="Imbalance ratio", metric="MCC")
    assert value(app, "Metric") == "mcc"
    picture = next(b for b in app.button_group if b.label == "Figure")
    assert picture.value == "ratio"
    assert any("open marks: one seed" in c.value for c in app.caption)


def test_the_form_counts_trials_and_names_errors():
    app = page("ablations", starting="true", new="table7")
    assert any("16 trials" in m.value for m in app.markdown)
    seeds = next(t for t in app.text_input if t.label == "Seeds")
    seeds.set_value("0").run()
    assert any("8 trials" in m.value for m in app.markdown)
    assert "python -m clmle ablate table7 --seeds=0" in [c.value for c in app.code]
    next(t for t in app.text_input if t.label == "Seeds").set_value("many").run()
    assert "many" in app.error[0].value
    assert not app.exception
    assert len(app.dataframe) > 0  # the results below stay


def test_start_passes_on_the_values_of_the_form(monkeypatch):
    asked = []

    def start(request, name, *, jobs):
        asked.append((request, name, jobs))
        return BackgroundStudy(own(name, ""))

    monkeypatch.setattr("clmle.studies.start_study", start)
    app = page("ablations", starting="true", new="classifier")
    next(t for t in app.text_area).set_value("train.iterations=6").run()
    next(b for b in app.button if b.label == "Start the study").click().run()
    assert asked == [(StudyRequest("classifier", grid=("train.iterations=6",)), "classifier", 0)]
    assert not app.exception


def test_each_broken_file_is_one_sentence_and_the_page_remains():
    whole = (SHIPPED / "classifier.jsonl").read_text()
    own("cut", whole[: len(whole) // 2])  # its last line is half-written: not there yet
    own("middle", '{"key": 1\n' + whole)
    own("foreign", '{"key": "a", "variant": "b"}\n')
    own("array", "[1, 2, 3]\n{}\n")
    job = BackgroundStudy(runs_dir() / "studies" / "odd.jsonl")
    job.job_path.write_text("{}")
    app = page("ablations", study="cut (mine)")
    texts = [e.value for e in app.error]
    for name in ("middle", "foreign", "array", "odd"):
        assert sum(f"{name}." in t for t in texts) >= 1, name
    assert not any("Traceback" in t for t in texts)
    assert value(app, "Study") == "cut (mine)"
    assert len(app.dataframe) > 0
    attributes = page("attributes")
    assert len(attributes.dataframe) > 0
    assert not any("failed" in e.value for e in attributes.error)


def test_attributes_compares_learners_on_the_same_data_only():
    app = page("attributes")
    assert value(app, "Data") == "toonfaces standard"
    assert value(app, "Learner") == "clmle (leaderboard)"
    table = app.dataframe[0].value
    assert len(table) == 14
    assert table["level"].is_monotonic_increasing
    assert {"gain", "low", "high", "paper: CLMLE"} <= set(table.columns)
    assert any("Train a run" in i.value for i in app.info)  # studies store no scores


def test_a_link_restores_an_attribute():
    app = page("attributes", attribute="Gray Hair", metric="roc auc")
    assert value(app, "Attribute") == "Gray_Hair"
    assert value(app, "Metric") == "roc_auc"


def test_pages_without_results_explain_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr("app.widgets.studies.SHIPPED", tmp_path / "none")
    assert any("start one above" in i.value for i in page("ablations").info)
    assert any("train a run" in i.value for i in page("attributes").info)
    app = page("paper", part="Tables")
    assert any("Not measured here yet" in i.value for i in app.info)
    assert not page("paper").error
    assert not page("paper", part="Corrections").error


@pytest.mark.parametrize("number", range(2, 8))
def test_published_and_measured_tables_are_separate(number):
    app = page("paper", part="Tables", table=f"Table {number}")
    headings = [h.value for h in app.subheader]
    assert headings == [f"Published: Table {number}", "Measured here"]
    assert len(app.dataframe) == 2
    ours = app.dataframe[1].value
    if number < 5:  # recognition: published columns next to measured ones
        assert "clmle" in set(ours["here"])
        assert any(c.startswith("published: ") for c in ours)


def test_each_claim_of_the_paper_has_a_verdict_and_the_numbers_of_its_tests():
    app = page("paper")
    results = claim_results(read_studies(SHIPPED))
    texts = [m.value for m in app.markdown]
    for result in results:
        (shown,) = [t for t in texts if result.claim.text in t]
        assert result.verdict in shown
    assert {"reproduced in part", "not reproduced", "not testable here"} <= {
        result.verdict for result in results
    }
    table = app.dataframe[0].value
    ours = [(d.seeds, round(100 * d.mean, 6)) for r in results for _, _, d, _ in r.tests]
    shown = zip(table["seeds"], table["difference, pp"].round(6), strict=True)
    assert list(shown) == ours


def test_the_summary_opens_first_and_shows_where_clmle_is_not_better():
    app = page("ablations")
    assert value(app, "Study") == "summary"
    table = app.dataframe[0].value
    assert len(table) > 5
    assert (table["difference"] < 0).any()
    assert table.loc[table["seeds"] < 3, ["low", "high"]].isna().all().all()


def test_the_effect_of_a_correction_is_that_of_its_study():
    app = page("paper", part="Corrections")
    table = app.dataframe[0].value.set_index("correction")
    d = reference_difference(
        read_study("components", SHIPPED / "components.jsonl"),
        "cluster classifier alone, uncalibrated",
    )
    row = table.loc["Offsets from validation images"]
    assert (row["effect"], row["of trials"]) == (d.mean, d.trials)
    assert d.low is None
    assert math.isnan(row["low"])  # of two seeds
    assert len(app.subheader) == len(table)  # each correction has its own part


def test_a_changed_file_is_read_again():
    lines = (SHIPPED / "classifier.jsonl").read_text().splitlines(keepends=True)
    two = [line for line in lines if '"variant":"printed"' in line or '"variant":"mean"' in line]
    path = own("growing", "".join(two))
    app = page("ablations", study="growing (mine)")
    assert sorted(app.dataframe[0].value["variant"]) == ["mean", "printed"]
    path.write_text("".join(lines))
    app.run()
    assert len(app.dataframe[0].value) == 4


def test_the_latex_table_of_a_study_fits_a_page_and_counts_are_whole():
    study = read_study("leaderboard", SHIPPED / "leaderboard.jsonl")
    table = study_table(study)
    lines = latex(printed_table(table)).splitlines()
    columns = lines[2].count("&")
    assert columns == 6
    ours = next(line for line in lines if line.startswith("oversampling &"))
    row = table.set_index("variant").loc["oversampling"]
    assert f"{row['won']:.0f} of {row['pairs']:.0f} &" in ours
    assert f"({row['low']:.3f} to {row['high']:.3f})" in ours
    assert ours.count("&") == columns
    assert f"{row['won']:.1f}" not in as_csv(table)


def test_latex_special_characters_are_escaped():
    import pandas

    text = latex(pandas.DataFrame({"a_b": ["50 % & more"], "x": [0.12345]}))
    assert "50 \\% \\& more & 0.123" in text
    assert "a b & x" in text


def test_runs_on_different_data_share_no_chart():
    from bench.app.stored_runs import fake_runs

    fake_runs(runs_dir(), 7)  # of all attributes and of three single ones
    runs = [run.name for run in list_runs(runs_dir())]
    app = page("train", runs=runs)
    headings = [h.value for h in app.subheader]
    assert len(headings) == len(set(headings)) == 4
    drawn = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    titles = [figure["layout"]["title"]["text"] for figure in drawn]
    lines = [len(f["data"]) for f, t in zip(drawn, titles, strict=True) if t == "Training loss"]
    assert sorted(lines) == [1, 1, 1, 4]


@pytest.mark.parametrize("name", ["ablations", "attributes", "paper", "train"])
def test_pages_open_with_fifty_runs(name, tmp_path):
    """The pages that the benchmarks measure open without an error."""
    from bench.app.stored_runs import fake_runs

    fake_runs(runs_dir(), 50)
    app = page(name)
    assert not app.error
    if name == "attributes":
        assert "toonfaces quick" in app.selectbox[0].options
