"""Every notebook executes in an empty environment and becomes a page; files hold no outputs."""

import ast
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
from notebooks.pages import PLOTLY, page_of, write_pages

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
def test_stored_notebooks_are_valid_and_without_outputs(lesson):
    notebook = read(lesson)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in cells)
    assert not any(cell.metadata for cell in notebook.cells)
    assert not PATHS.search(path_of(lesson).read_text(encoding="utf-8"))


@each_lesson
def test_a_notebook_states_its_goals_and_ends_with_exercises(lesson):
    text = text_of(read(lesson))
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1
    assert text.startswith(f"# {title_of(read(lesson))}\n")
    assert re.search(r"You will learn", text)
    exercises = text.partition("## Exercises")[2]
    assert 2 <= len(re.findall(r"^\d\. ", exercises, re.MULTILINE)) <= 3


@each_lesson
def test_a_notebook_uses_only_the_public_api(lesson):
    code = code_of(read(lesson))
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
            assert node.attr == "__file__" or not node.attr.startswith("_")


@each_lesson
@pytest.mark.timeout(900)  # for a busy machine
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
