"""Export of figures as small SVG files, drawn by plotly in a headless browser.

The browser is an installed Chromium or Chrome (or the one of Playwright); nothing is downloaded.
Random names that plotly assigns are replaced, so that the same figure has the same bytes.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from clmle.errors import InputError
from clmle.files import write_text

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
INK = "#7A7A7A"  # contrast above 4 on white as on the black of dark pages
FONT = "Verdana, DejaVu Sans, sans-serif"  # of equal width, so that labels fit everywhere
WIDTH = 900
MARK = re.compile(r"<!-- figure ([0-9a-f]{16}) -->")
DRAW = """async ([spec, width, height, format]) => {
  const div = document.createElement("div");
  document.body.replaceChildren(div);
  await Plotly.newPlot(div, spec.data, spec.layout, {staticPlot: true});
  return await Plotly.toImage(div, {format, width, height, imageDataOnly: true});
}"""


def to_svg(figure: Any, path: str | os.PathLike[str], width: int = WIDTH, height: int = 0) -> None:
    """Write a plotly figure to an SVG file."""
    to_svgs({os.fspath(path): figure}, width, height)


def to_svgs(figures: Mapping[str, Any], width: int = WIDTH, height: int = 0) -> None:
    """Write every figure to the path that is its key; the browser starts once."""
    if not figures:
        return
    with _browser_page() as page:
        for path, figure in figures.items():
            spec = _spec(figure)
            high = height or spec["layout"].get("height") or 340
            svg = page.evaluate(DRAW, [spec, width, high, "svg"])
            write_text(path, _steady(svg, digest(figure)))


def to_pngs(figures: Sequence[Any], width: int = WIDTH) -> list[str]:
    """Every figure as PNG in base64; the browser starts once."""
    if not figures:
        return []
    found = []
    with _browser_page() as page:
        for figure in figures:
            spec = _spec(figure)
            high = spec["layout"].get("height") or 340
            found.append(page.evaluate(DRAW, [spec, width, high, "png"]))
    return found


def digest(figure: Any) -> str:
    """16 hexadecimal digits that identify what a figure shows; written into its SVG."""
    text = json.dumps(_spec(figure), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def digest_in(path: str | os.PathLike[str]) -> str:
    """The digest in the SVG file at ``path``; "" where there is none."""
    file = Path(path)
    found = MARK.search(file.read_text(encoding="utf-8")) if file.is_file() else None
    return found.group(1) if found else ""


def _spec(figure: Any) -> dict[str, Any]:
    """Plain data of the figure with a mid-tone ink, without interactive parts."""
    from plotly.io import templates

    spec: dict[str, Any] = _plain(figure.to_json())
    layout = spec["layout"]
    layout.pop("meta", None)  # words for the reader, not drawn
    # Streamlit replaces plotly's default template in its process; an image file has plotly's own.
    layout["template"] = _plain(json.dumps(templates["plotly"].to_plotly_json()))
    layout["font"] = {"color": INK, "family": FONT, "size": 12} | layout.get("font", {})
    for i, trace in enumerate(spec["data"]):
        for screen in ("hovertemplate", "hovertext", "customdata"):
            trace.pop(screen, None)
        trace["uid"] = f"s{i}"
    return spec


def _plain(text: str) -> Any:
    """JSON, its numbers with six decimals: smaller differences between computers are invisible."""
    return json.loads(text, parse_float=lambda number: round(float(number), 6))


def _steady(svg: str, mark: str) -> str:
    """The drawing with plotly's random name replaced, shortened, with its digest."""
    name = re.search(r'id="defs-([0-9a-f]+)"', svg)
    if name:
        svg = svg.replace(name.group(1), "figure")
    svg = re.sub(r' (class|data-[a-z-]+)="[^"]*"', "", svg)
    # Attributes only: labels keep all digits.
    svg = re.sub(
        r' (d|x|y|width|height|transform)="[^"]*"',
        lambda attribute: re.sub(r"(\.\d\d)\d+", r"\1", attribute[0]), svg,
    )  # fmt: skip
    svg = re.sub(r"(?<![-\w])(fill-|stroke-|)opacity: 1; ?", "", svg)
    svg = re.sub(r"font-family: [^;]*; ", "", svg).replace(' style=""', "")
    start = svg.index(">", svg.index("<svg"))
    font = f' font-family="{FONT}"'
    return f"{svg[:start]}{font}><!-- figure {mark} -->{svg[start + 1 :]}\n"


@contextmanager
def _browser_page() -> Iterator[Any]:
    """A blank page with plotly, in a browser that is closed afterwards."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise InputError(
            "Figures are drawn with Playwright, which is missing: pip install playwright."
        ) from error
    from plotly.offline import get_plotlyjs

    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    with _ended_early(), sync_playwright() as playwright:
        try:
            # Chromium has no sandbox for root; it loads only the page made here.
            browser = playwright.chromium.launch(
                executable_path=program, args=["--no-sandbox", "--disable-gpu"]
            )
        except Error as error:
            raise InputError(
                "Figures are drawn in a browser, and none could be started: install Chromium "
                "or Chrome (or run: playwright install chromium) and try again."
            ) from error
        try:
            page = browser.new_page()
            page.set_content("<!doctype html><body></body>")
            page.add_script_tag(content=get_plotlyjs())
            yield page
        finally:
            with suppress(Exception):  # it may have ended already
                browser.close()


@contextmanager
def _ended_early() -> Iterator[None]:
    """Raise an InputError if the browser, or the driver of Playwright, is killed meanwhile."""
    from playwright.sync_api import Error

    try:
        yield
    except Exception as error:
        # Playwright reports the end of its driver by a bare Exception.
        if not isinstance(error, Error | ConnectionError) and type(error) is not Exception:
            raise
        raise InputError(
            "The browser that draws figures ended early, possibly for lack of memory; figures "
            "already drawn are kept, so run the same command again."
        ) from error
