"""All pages of results: made from the results files alone, and checked against them."""

import json
import re
from pathlib import Path

import pytest

from clmle.config import flat
from clmle.studies.study_results import read_studies
from tests.tools.results_folder import folder, pages, ranking, text_of
from tools.report import pages as report
from tools.report.__main__ import main

__all__ = ["folder"]  # a fixture


def test_every_study_has_a_page_with_its_verdict(folder):
    where = folder(
        leaderboard=ranking({"clmle": 0.9, "softmax": 0.7}),
        solar_cells=ranking({"clmle": 0.6, "softmax": 0.7}, ("defect",), dataset="/data/solar"),
    )
    made = pages(where)
    shared = {"index", "pooled", "level-field", "paper", "reproduction"}
    assert {"leaderboard", "solar-cells", *shared} == set(made)
    assert "is above every baseline" in made["leaderboard"].markdown()
    assert "is not above every baseline" in made["solar-cells"].markdown()
    assert "/data/" not in made["solar-cells"].markdown()


def test_published_and_measured_values_never_share_a_table(folder):
    text = text_of(folder(leaderboard=ranking({"clmle": 0.9, "lmle": 0.8})), "paper")
    tables = re.findall(r"(?:\|.*\n)+", text)
    assert len(tables) == 7
    for table in tables:
        assert ("published" in table) != ("measured here" in table)
    assert "| CLMLE | 88.78 |" in text
    assert re.search(r"\| CLMLE \(clmle \(single-label preset\)\) \| (89|90)\.\d\d \|", text)


def test_every_caption_names_command_and_budget(folder):
    made = pages(
        folder(leaderboard=ranking({"clmle": 0.9, "softmax": 0.7}), classifier=ranking({"a": 0.5}))
    )
    text = "\n".join(page.markdown() for page in made.values())
    captions = re.findall(r"^\*[^*].*\*$", text, flags=re.M)
    assert len(captions) == sum(len(page.figures) for page in made.values()) == 4
    for caption in captions:
        assert re.search(
            r"`python -m clmle ablate (leaderboard|classifier) --results .*\.jsonl`", caption
        )
        assert "160 iterations of 240 images, learning rate 0.05" in caption


def test_without_results_there_are_pages_without_claims(folder):
    made = pages(folder())
    assert set(made) == {"index", "pooled", "level-field", "paper", "reproduction"}
    assert "0 trials" in made["index"].markdown()
    assert not any(page.figures for page in made.values())


def test_the_order_of_lines_changes_nothing(folder):
    trials = ranking({"clmle": 0.9, "softmax": 0.7, "lmle": 0.8})
    first = text_of(folder(leaderboard=trials))
    assert text_of(folder(leaderboard=trials[::-1])) == first


def test_the_command_writes_pages_and_figures_and_checks_them(folder, monkeypatch, capsys):
    drawn = []

    def draw(figures):  # the drawing itself is tested with the figures
        from clmle.figures import export

        for path, figure in figures.items():
            drawn.append(path)
            Path(path).parent.mkdir(exist_ok=True)
            Path(path).write_text(f"<svg><!-- figure {export.digest(figure)} --></svg>")

    monkeypatch.setattr("clmle.figures.export.to_svgs", draw)
    where = folder(leaderboard=ranking({"clmle": 0.9, "softmax": 0.7}))
    docs = where.parent
    flags = ["--results", str(where), "--out", str(docs)]
    assert main([*flags, "--check"]) == 1
    assert not (where / "index.md").exists()
    assert main(flags) == 0
    text = (where / "leaderboard.md").read_bytes()
    shown = re.findall(r"\]\(\.\./(figures/[^)]+)\)", text.decode())
    assert shown
    assert [str(docs / s) for s in shown] == drawn
    assert main([*flags, "--check"]) == 0
    assert main(flags) == 0
    assert (where / "leaderboard.md").read_bytes() == text
    numbers = json.loads((where / "summary.json").read_text())
    assert numbers["leaderboard"]["differences"]["softmax"]["seeds"] == 3
    assert (docs / "_includes" / "main_results.md").read_text().count("\n") == 3
    (docs / shown[0]).write_text("<svg/>")
    capsys.readouterr()
    assert main([*flags, "--check"]) == 1
    assert shown[0] in capsys.readouterr().err


def test_a_missing_folder_and_a_broken_line_are_sentences(folder, tmp_path, capsys):
    assert main(["--results", str(tmp_path / "none")]) == 2
    assert "There is no folder" in capsys.readouterr().err
    where = folder(leaderboard=ranking({"clmle": 0.9}))
    line = json.dumps({"key": "k", "variant": "v"}) + "\n"
    (where / "classifier.jsonl").write_text(line)
    assert main(["--results", str(where), "--out", str(tmp_path / "out")]) == 2
    assert "classifier.jsonl lacks 'method' and is left out" in capsys.readouterr().err


def test_shipped_pages_are_those_of_the_shipped_results():
    assert report.stale("docs/results", "docs") == []


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda c: c.update(seed="=1+1"), "has '=1+1' as its 'seed', which must be a whole number"),
        (lambda c: c.update(seed=[1]), "has [1] as its 'seed', which must be a whole number"),
        (lambda c: c.update(task=5), "has 5 as its 'task', which must be a text"),
        (lambda c: c.update(config=[]), "has [] as its 'config', which must be a table"),
        (lambda c: c["config"].pop("data"), "lacks 'data'"),
        (lambda c: c["config"].update(data=1), "has 1 as its 'data', which must be a table"),
        (
            lambda c: c.update(class_counts="x"),
            "has 'x' as its 'class_counts', which must be a list",
        ),
        (lambda c: c.update(machine=5), "has 5 as its 'machine', which must be a table"),
        (lambda c: c.update(seconds=None), "has None as its 'seconds', which must be a number"),
    ],
)
def test_a_malformed_result_is_reported(folder, spoil, sentence):
    trials = json.loads(json.dumps(ranking({"clmle": 0.9})))
    spoil(trials[0])
    where = folder(leaderboard=trials)
    (study,) = read_studies(where)
    assert len(study.summaries) == len(trials) - 1
    (found,) = study.damaged
    assert found.startswith(f"Line 1 of {where / 'leaderboard.jsonl'} {sentence} and is left out")


def test_flat_names_every_leaf():
    assert flat({"a": 1, "b": {"c": {"d": 2}}}) == {"a": 1, "b.c.d": 2}


def test_a_trial_run_again_with_other_defaults_replaces_the_earlier_one(folder):
    trials = ranking({"clmle": 0.7, "lmle": 0.8}, noise=0)
    again = [c | {"key": f"new-{c['key']}"} for c in ranking({"clmle": 0.9}, noise=0)]
    text = text_of(folder(leaderboard=trials + again))
    assert "Balanced accuracy 0.900; strongest baseline lmle, 0.800" in text
