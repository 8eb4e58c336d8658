"""The documentation: the site builds strictly, names every public name, and shows what works."""

import argparse
import contextlib
import doctest
import io
import os
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from filelock import FileLock

from clmle.__main__ import COMMANDS, command_module
from clmle.methods._base import METHODS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(p for p in (ROOT / "README.md", *DOCS.rglob("*.md")))
PUBLIC = (
    "clmle", "clmle.data", "clmle.data.recognition", "clmle.metrics", "clmle.figures",
    "clmle.losses", "clmle.methods", "clmle.playground", "clmle.training",
)  # fmt: skip
WITH_EXAMPLES = sorted(
    ".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for p in (ROOT / "clmle").rglob("*.py")
    if ">>> " in p.read_text(encoding="utf-8")
)


def name_of(page):
    return page.relative_to(ROOT).as_posix()


# --- the site ---------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The site as `make docs` builds it, once for all workers: what Sphinx warns of is an error."""
    folder = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        folder = folder.parent
    out = folder / "site"
    with FileLock(f"{out}.lock"):
        if not (out / "whole").exists():
            build(out)
            (out / "whole").touch()
    return out / "html"


def build(out):
    recipe = re.search(r"-m sphinx (.*) docs site", (ROOT / "Makefile").read_text()).group(1)
    assert "--fail-on-warning" in recipe
    command = [sys.executable, "-m", "sphinx", *recipe.split(), "-d", str(out / "read")]
    built = subprocess.run(
        [*command, str(DOCS), str(out / "html")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr


@pytest.mark.parametrize("package", PUBLIC)
def test_every_public_name_has_an_entry_in_the_reference(site, package):
    from sphinx.util.inventory import InventoryFile

    with open(site / "objects.inv", "rb") as file:
        inventory = InventoryFile.load(file, "", lambda base, uri: uri)
    entries = {
        name for kind, found in inventory.items() if kind.startswith("py:") for name in found
    }
    module = import_module(package)
    described = {id(thing) for e in entries if "." in e and (thing := object_at(e)) is not None}
    missing = [
        name for name in module.__all__
        if f"{package}.{name}" not in entries
        and (not callable(getattr(module, name)) or id(getattr(module, name)) not in described)
    ]  # fmt: skip
    constants = {n for n in missing if n.isupper()}
    assert set(missing) <= constants, missing
    page = " ".join(p.read_text(encoding="utf-8") for p in (site / "reference").glob("*.html"))
    assert [n for n in constants if n not in page] == []


def object_at(entry):
    """What a dotted name of the inventory stands for; None for a module's attribute of a class."""
    where, _, name = entry.rpartition(".")
    try:
        return getattr(import_module(where), name, None)
    except ImportError:
        return None


def test_pages_ask_no_other_server_for_anything(site):
    loads = re.compile(
        r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"(?:https?:)?//[^\"]+"
        r"|<link\b[^>]*\brel=\"(?:stylesheet|preconnect|icon)\"[^>]*\bhref=\"(?:https?:)?//[^\"]+"
        r"|url\(\s*['\"]?(?:https?:)?//[^)]+|@import\s+[^;]*//[^;]+"
    )
    files = [p for kind in ("html", "css") for p in site.rglob(f"*.{kind}")]
    assert len(files) > 30
    found = {p.name: loads.findall(p.read_text(encoding="utf-8")) for p in files}
    assert {name: urls for name, urls in found.items() if urls} == {}


def test_help_methods_and_notebooks_are_on_the_site(site):
    from clmle.methods import method_names

    commands = (site / "reference/command-line.html").read_text(encoding="utf-8")
    assert all(f"usage: clmle {name}" in commands for name in COMMANDS)
    methods = (site / "reference/methods.html").read_text(encoding="utf-8")
    assert all(f">{name}<" in methods for name in method_names())
    notebooks = (site / "notebooks.html").read_text(encoding="utf-8")
    assert all(p.name in notebooks for p in (ROOT / "notebooks").glob("*.ipynb"))


def test_pages_of_notebooks_that_were_run_are_linked_and_their_figures_copied(
    monkeypatch, tmp_path
):
    monkeypatch.syspath_prepend(str(DOCS / "_ext"))
    import autogen as made

    lessons = tmp_path / "lessons"
    (lessons / "first_steps").mkdir(parents=True)
    (lessons / "first_steps.md").write_text("# First steps\n")
    for name in ("plotly.min.js", "first_steps/figure-1.html", "first_steps/figure-1.svg"):
        (lessons / name).write_text(name)
    monkeypatch.setattr(made, "LESSONS", lessons)
    page = made.notebooks()
    assert "[First steps](lessons/first_steps.md)" in page
    assert page.count("lessons/") == 2  # the link and the table of contents, no other notebook
    shown = made.played("![a](first_steps/figure-1.svg) [play](first_steps/figure-1.html)")
    assert shown == '![a](first_steps/figure-1.svg) <a href="first_steps/figure-1.html">play</a>'
    app = SimpleNamespace(builder=SimpleNamespace(format="html"), outdir=tmp_path / "site")
    made.copy_figures(app, None)
    copied = sorted(p.name for p in (tmp_path / "site").rglob("*.*"))
    assert copied == ["figure-1.html", "plotly.min.js"]


# --- the same pages, read in the repository ---------------------------------------------------


def slug(heading):
    """The anchor of a heading."""
    words = re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading).strip().lower())
    return words.replace(" ", "-")


def anchors(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)
    return {slug(h) for h in re.findall(r"^#+ (.*)$", text, re.M)}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files_and_headings_that_are_there(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


# --- what the pages show ----------------------------------------------------------------------


def commands_in(text):
    """Words of every `clmle` command of the code blocks, and of those in full in sentences."""
    found = set()
    for block in re.findall(r"^```(?:sh|text|console)?\n(.*?)^```", text, re.S | re.M):
        lines = block.replace("\\\n", " ")
        shown = re.compile(r"^(?:\$ )?(?:\S*python -m |torchrun .* -m )?clmle (\w.*)$", re.M)
        found |= set(shown.findall(lines))
    prose = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
    found |= {" ".join(c.split()) for c in re.findall(r"`python -m clmle ([^`]+)`", prose)}
    return sorted(c for c in found if not c.startswith(("COMMAND", "--help")))


class Parsed(Exception):
    """The options of a command were understood."""


@pytest.fixture
def dry(monkeypatch):
    """Commands end where their options have been parsed."""
    parse = argparse.ArgumentParser.parse_args

    def parse_and_stop(self, *args, **kwargs):
        raise Parsed(parse(self, *args, **kwargs))

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_and_stop)


@pytest.mark.parametrize(
    ("page", "command"),
    [(p, c) for p in PAGES for c in commands_in(p.read_text(encoding="utf-8"))],
    ids=lambda value: name_of(value) if isinstance(value, Path) else value,
)
def test_commands_shown_are_understood(dry, monkeypatch, page, command):
    if "label-smoothing" in command:
        monkeypatch.setitem(METHODS, *own_method())
    command = re.sub(r"\bMETHOD\b", "clmle", re.sub(r"\bSEED\b", "0", command))
    words = shlex.split(command.removesuffix(" ..."), comments=True)
    assert words[0] in COMMANDS
    if words[-1] in ("--help", "-h"):
        return
    complaints = io.StringIO()
    with contextlib.redirect_stderr(complaints):
        try:
            command_module(words[0]).main(words[1:])
        except Parsed as stop:
            (values,) = stop.args
        except SystemExit:
            pytest.fail(complaints.getvalue())
    if words[0] == "train":
        from clmle.cli.parser import from_options
        from clmle.presets import preset_config

        base = preset_config(values.preset, values.method, values.dataset or "toonfaces")
        assert from_options(base, values).method == values.method
    if words[0] == "ablate" and values.study and "all" not in values.attributes:
        from clmle.cli.ablate import request_of

        assert request_of(values, values.study).trials()


def python_blocks(page):
    return re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text("utf-8"), re.S | re.M)


def own_method():
    """Name and class of the method that the page on methods of one's own writes."""
    (code,) = python_blocks("guide/own-method.md")
    module = sys.modules["label_smoothing"] = ModuleType("label_smoothing")
    exec(compile(code, "label_smoothing.py", "exec"), module.__dict__)
    return "label-smoothing", METHODS.pop("label-smoothing")


def test_the_method_of_the_page_on_methods_learns(monkeypatch, tmp_path):
    from dataclasses import replace

    from clmle.presets import preset_config
    from clmle.run_folder import create_run
    from clmle.training import train

    monkeypatch.setitem(METHODS, *own_method())
    config = preset_config("quick", "label-smoothing", "digits")
    short = replace(config.train, backbone="tiny", iterations=15, rounds=1)
    run = create_run(tmp_path, replace(config, train=short).to_dict())
    assert train(run)["test"]["balanced_accuracy"] > 0.3


def test_the_code_for_own_programs_runs_from_top_to_bottom(capsys):
    space = {"__name__": "own_code"}
    for code in python_blocks("guide/own-code.md"):
        exec(compile(code, "own-code.md", "exec"), space)
    assert space["search"].score(space["X_test"], space["y_test"]) > 0.85
    assert space["figures"]["balanced_accuracy"] > 0.85
    assert space["result"]["test"]["balanced_accuracy"] > 0.5
    assert "balanced accuracy on test images" in capsys.readouterr().out


def test_expected_answers_of_the_session_are_what_its_code_prints(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    space = {"__name__": "session"}
    text = (DOCS / "TEACHING.md").read_text(encoding="utf-8")
    pairs = re.findall(r"^```python\n(.*?)^```\s+```text\n(.*?)^```", text, re.S | re.M)
    assert len(pairs) >= 3
    for code, printed in pairs:
        exec(compile(code, "TEACHING.md", "exec"), space)
        assert capsys.readouterr().out == printed
    # Of the tables of the circle those figures that their exercises turn on.
    assert metrics_of(space["figures"]("softmax", ratio=10))[0] == pytest.approx(26, abs=5)
    assert metrics_of(space["figures"]("oversampling", modes=3))[1] == pytest.approx(63, abs=5)
    assert metrics_of(space["figures"]("clmle", 4, modes=4))[1] == pytest.approx(90, abs=5)
    for cited in ("| 10 | 26 % |", "| 3 | 50 % | 63 % | 50 % | 87 % |", "| 61 % | 56 % | 90 % |"):
        assert cited in text


def metrics_of(shown):
    """Numbers of "26% 62% 91%"."""
    return [float(word.rstrip("%")) for word in shown.split()]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_in_docstrings_say_what_they_print(name):
    found = doctest.testmod(import_module(name))
    assert found.attempted > 0
    assert found.failed == 0


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_make_targets_shown_exist(page):
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M))
    text = page.read_text(encoding="utf-8")
    shown = re.findall(r"^(?:\$ )?make ([\w-]+)", text, re.M) + re.findall(r"`make ([\w-]+)`", text)
    assert set(shown) <= targets
