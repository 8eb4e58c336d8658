"""Every notebook executes in an empty environment and becomes a page; files hold its outputs."""

import ast
import base64
import json
import re
import sys
from importlib import import_module
from pathlib import Path

import nbformat
import pytest

import clmle
from notebooks.execution import execute
from notebooks.lessons import HERE, LESSONS, path_of, title_of
from notebooks.pages import PLOTLY, figure_of, page_of, write_pages
from notebooks.stored import code_digest, small_pictures, with_outputs

PATHS = re.compile(r"(?<![\w.:/])/(?:home|root|tmp|usr|var|work|opt|mnt|Users|private)/\w")
each_lesson = pytest.mark.parametrize("lesson", LESSONS)


def read(lesson):
    return nbformat.read(path_of(lesson), as_version=4)


def code_of(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")


def text_of(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def figures_in(notebook):
    return [
        output.data[PLOTLY]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if PLOTLY in output.get("data", {})
    ]


def test_every_notebook_is_listed():
    assert sorted(LESSONS) == sorted(path.stem for path in HERE.glob("*.ipynb"))


@each_lesson
def test_stored_outputs_belong_to_the_code_and_show_on_a_code_host(lesson):
    notebook = read(lesson)
    nbformat.validate(notebook)
    command = "python -m notebooks store"
    assert notebook.metadata["clmle"]["code"] == code_digest(notebook), command
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"]
    pictures = [o.data["image/png"] for o in outputs if "image/png" in o.get("data", {})]
    assert pictures
    assert all(base64.b64decode(p).startswith(b"\x89PNG") for p in pictures)
    for output in outputs:  # a code host shows HTML without its scripts in place of a picture
        data = output.get("data", {})
        assert PLOTLY not in data or "image/png" in data
        assert "<script" not in data.get("text/html", "")
    assert not any(cell.metadata for cell in notebook.cells)
    text = path_of(lesson).read_text(encoding="utf-8")
    assert not PATHS.search(re.sub(r'"image/png": "[^"]*"', "", text))
    assert len(text) < 500_000
    assert re.search(r"\*Running time: about \d+ s of one core\.\*$", notebook.cells[0].source)


@each_lesson
def test_a_notebook_needs_no_path_of_the_repository(lesson):
    code = code_of(read(lesson))
    assert not re.search(r"sys\.path|__file__|\.\./", code)


@each_lesson
def test_every_exercise_has_an_answer_whose_code_uses_the_public_api(lesson):
    text = text_of(read(lesson)).partition("## Exercises")[2]
    exercises, _, answers = text.partition("## Answers")
    found = re.findall(
        r"<details>\n<summary>Answer (\d)</summary>\n\n(.*?)\n\n</details>", answers, re.S
    )
    numbers = re.findall(r"^(\d)\. ", exercises, re.MULTILINE)
    assert [number for number, _ in found] == numbers
    for _, answer in found:
        (code,) = re.findall(r"```python\n(.*?)```", answer, re.S)
        public_names_only(code)
        assert answer.partition("```\n\n")[2].strip(), "code and what to look for"


@each_lesson
def test_a_notebook_states_its_goals_and_ends_with_exercises(lesson):
    text = text_of(read(lesson))
    prose = re.sub(r"```.*?```", "", text, flags=re.S)
    assert len(re.findall(r"^# ", prose, re.MULTILINE)) == 1
    assert text.startswith(f"# {title_of(read(lesson))}\n")
    assert re.search(r"You will learn", text)
    exercises = text.partition("## Exercises")[2].partition("## Answers")[0]
    assert 2 <= len(re.findall(r"^\d\. ", exercises, re.MULTILINE)) <= 3


@each_lesson
def test_a_notebook_uses_only_the_public_api(lesson):
    public_names_only(code_of(read(lesson)))


def public_names_only(code):
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "clmle":
            package = node.module.partition(".")[2]
            assert not package or package in clmle.__all__
            public = getattr(import_module(node.module), "__all__", None)
            names = {alias.name for alias in node.names}
            assert public is None or names <= set(public), names - set(public)
        elif isinstance(node, ast.Import):
            assert not [a for a in node.names if a.name.startswith(("clmle.", "tools", "app"))]
        elif isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_")


@each_lesson
def test_a_notebook_executes_and_becomes_a_page(lesson, tmp_path):
    # One execution for both, since executing is nearly all of the time.
    notebook = execute(path_of(lesson), tmp_path / "run")
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"]
    said = json.dumps([o.get("text", "") or o.get("data", {}) for o in outputs])
    assert not PATHS.search(said), "outputs name no path of this machine"
    assert str(tmp_path) not in said
    figures = figures_in(notebook)
    assert figures
    drawn = [o.data["text/html"] for o in outputs if PLOTLY in o.get("data", {})]
    assert all("Plotly.newPlot" in page for page in drawn), "nbconvert shows no figure"
    layouts = [figure["layout"] for figure in figures]
    assert all(layout["title"]["text"] for layout in layouts if "sliders" not in layout)
    assert not list((tmp_path / "run" / "work").iterdir()), "a notebook leaves no files behind"

    page = page_of(lesson, notebook)
    assert len(page.figures) == len(figures)
    assert page.markdown.startswith("# ")
    assert page.markdown.count("```") % 2 == 0
    for name in (*page.figures, *page.images):
        assert f"]({name}." in page.markdown or f"]({name})" in page.markdown


def small_notebook(folder, *sources):
    cells = [nbformat.v4.new_markdown_cell("# A title\n\nA promise. And more.")]
    cells += [nbformat.v4.new_code_cell(source) for source in sources]
    path = folder / "small.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_an_execution_has_separate_folders_of_runs_and_caches(tmp_path, monkeypatch):
    monkeypatch.setenv("CLMLE_RUNS", "elsewhere")
    source = (
        "import os, clmle\n"
        "print(os.getcwd(), os.listdir('.'))\n"
        "print(os.environ['CLMLE_RUNS'], os.environ['CLMLE_CACHE'])\n"
        "print(clmle.__file__)"
    )
    notebook = execute(small_notebook(tmp_path, source), tmp_path / "run")
    place, kept, package = notebook.cells[1].outputs[0].text.splitlines()
    assert place == f"{(tmp_path / 'run' / 'work').resolve()} []"
    assert kept == f"{tmp_path / 'run' / 'runs'} {tmp_path / 'run' / 'cache'}"
    assert Path(package).resolve() == HERE.parent / "clmle" / "__init__.py"


def test_a_stored_figure_is_a_picture_and_keeps_small_data():
    new = nbformat.v4.new_output
    small = {"data": [{"y": [1]}], "layout": {"title": {"text": "Small"}}}
    large = {"data": [{"y": list(range(9000))}], "layout": {}}
    figures = [new("display_data", data={PLOTLY: f, "text/html": "script"}) for f in (small, large)]
    table = new(
        "execute_result", data={"text/html": "<style>x</style>\n<table></table>"}, execution_count=7
    )
    cells = [nbformat.v4.new_markdown_cell("# A title"), nbformat.v4.new_code_cell("1")]
    done = [cells[0], nbformat.v4.new_code_cell("1", outputs=[*figures, table], execution_count=7)]
    notebook = with_outputs(
        nbformat.v4.new_notebook(cells=cells), nbformat.v4.new_notebook(cells=done), 41.0,
        draw=lambda found: [f"png {len(f.data[0].y)}" for f in found],
    )  # fmt: skip
    first, second, third = (output.data for output in notebook.cells[1].outputs)
    assert first == {"image/png": "png 1", "text/plain": "Small", PLOTLY: small}
    assert second == {"image/png": "png 9000", "text/plain": "A figure"}
    assert third == {"text/html": "<table></table>"}
    assert notebook.cells[0].source == "# A title\n\n*Running time: about 40 s of one core.*"
    assert notebook.metadata["clmle"]["code"] == code_digest(notebook)


def test_a_played_figure_is_stored_as_it_ends(monkeypatch):
    figure = figure_of({
        "data": [{"type": "scatter", "y": [1]}, {"type": "scatter", "y": [2]}],
        "frames": [{"name": str(y), "traces": [1], "data": [{"y": [y]}]} for y in (3, 4)],
    })  # fmt: skip
    shown = []
    monkeypatch.setattr("notebooks.stored.to_pngs", lambda figures: shown.extend(figures) or [])
    small_pictures([figure])
    assert [list(trace.y) for trace in shown[0].data] == [[1], [4]]


def test_pages_show_figures_tables_and_printed_text(tmp_path, monkeypatch):
    drawn = {}
    monkeypatch.setattr("notebooks.pages.to_svgs", drawn.update)
    figure = {
        "data": [{"type": "scatter", "x": [1, 2], "y": [3, 4]}],
        "layout": {"title": {"text": "A figure"}},
        "frames": [{"name": "f", "data": [{"y": [5, 6]}]}],
    }
    table = "<div>\n<style scoped>td {}</style>\n<table>\n  <tr>\n\n  <td>1</td></tr></table></div>"
    new = nbformat.v4.new_output
    cell = nbformat.v4.new_code_cell(
        "code()",
        outputs=[
            new("stream", name="stdout", text="printed\n"),
            new("display_data", data={PLOTLY: figure, "text/html": "ignored"}),
            new("display_data", data={"image/png": "iVBORw0KGgo=", "text/plain": "ignored"}),
            new("execute_result", data={"text/html": table, "text/plain": "ignored"}),
            new("execute_result", data={"text/plain": "(1, 2)"}),
        ],
    )
    title = nbformat.v4.new_markdown_cell("# A title\n\nA promise. And more.")
    lesson = nbformat.v4.new_notebook(cells=[title, cell])
    index, page = write_pages({"small": lesson}, tmp_path)

    assert index.read_text() == "# Lessons\n\n- [A title](small.md): A promise.\n"
    text = page.read_text()
    assert "```python\ncode()\n```\n\n```text\nprinted\n```" in text
    assert "![A figure](small/figure-1.svg)" in text
    assert "(small/figure-1.html)" in text
    assert "![Figure 2](small/figure-2.png)" in text
    assert "<div>\n<table>\n<tr>\n<td>1</td></tr></table></div>" in text
    assert "```text\n(1, 2)\n```" in text
    assert "ignored" not in text
    assert (tmp_path / "small" / "figure-2.png").read_bytes() == b"\x89PNG\r\n\x1a\n"
    assert list(drawn) == [str(tmp_path / "small" / "figure-1.svg")]
    played = (tmp_path / "small" / "figure-1.html").read_text()
    assert '"f"' in played, "frames can be played"
    assert 'src="../plotly.min.js"' in played
    assert (tmp_path / "plotly.min.js").stat().st_size > 1_000_000


def test_the_command_reports_the_failing_notebook_and_error(tmp_path, monkeypatch, capsys):
    from notebooks import __main__ as command

    broken = small_notebook(tmp_path, "1 / 0")
    monkeypatch.setattr(command, "LESSONS", ("small",))
    monkeypatch.setattr(command, "path_of", lambda lesson: broken)
    monkeypatch.setattr(sys, "argv", ["notebooks", str(tmp_path / "pages")])
    assert command.main() == 1
    error = capsys.readouterr().err
    assert "small failed" in error
    assert "ZeroDivisionError" in error
    assert not (tmp_path / "pages").exists()

    monkeypatch.setattr(sys, "argv", ["notebooks", str(tmp_path / "pages"), "nothing"])
    with pytest.raises(SystemExit):
        command.main()
    assert "there is no notebook 'nothing'" in capsys.readouterr().err
