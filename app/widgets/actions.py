"""Buttons that work in the browser alone: save a figure as a picture, copy a text."""

from __future__ import annotations

import streamlit as st

CSS = """
.row {display:flex; flex-wrap:wrap; gap:.5rem; align-items:center; font-family:inherit}
button {font:inherit; color:inherit; background:transparent; padding:.35rem .75rem;
 border:1px solid rgba(128,128,128,.5); border-radius:.5rem; cursor:pointer; min-height:2.5rem}
button:hover, button:focus-visible {border-color:var(--st-primary-color);
 color:var(--st-primary-color); outline-offset:2px}
span {font-size:.85rem}
"""
# The camera of plotly's toolbar reads its format when it is pressed, so both formats can be saved
# from the figure as it is shown, with zoom and hidden series.
SAVE = """export default function({parentElement, data}) {
  const status = parentElement.querySelector("span");
  parentElement.querySelectorAll("button").forEach(button => { button.onclick = () => {
    const plot = document.querySelector(".st-key-figure-" + data.name + " .js-plotly-plot");
    const camera = plot && plot.querySelector('[data-title^="Download plot"]');
    if (!camera) { status.textContent = "The figure is not drawn yet."; return; }
    const before = plot._context.toImageButtonOptions;
    plot._context.toImageButtonOptions =
      {...before, format: button.dataset.format, filename: data.name, scale: 2};
    camera.click();
    plot._context.toImageButtonOptions = before;
    status.textContent = "Saved as " + data.name + "." + button.dataset.format;
  };});
}"""
COPY = """export default function({parentElement, data}) {
  const status = parentElement.querySelector("span"), row = parentElement.querySelector(".row");
  row.querySelectorAll("button").forEach(button => button.remove());
  for (const [label, text] of Object.entries(data.texts).reverse()) {
    const button = document.createElement("button");
    button.type = "button"; button.textContent = label;
    button.onclick = async () => {
      try { await navigator.clipboard.writeText(text); }
      catch { const area = document.createElement("textarea");
        area.value = text; document.body.append(area); area.select();
        document.execCommand("copy"); area.remove(); }
      status.textContent = "Copied";
    };
    row.prepend(button);
  }
}"""
STATUS = '<span role="status" aria-live="polite"></span>'


def save_picture(name: str) -> None:
    """Buttons that save the figure of key "figure-``name``" as PNG or SVG."""
    buttons = "".join(
        f'<button type="button" data-format="{kind.lower()}">Figure as {kind}</button>'
        for kind in ("PNG", "SVG")
    )
    html = f'<div class="row">{buttons}{STATUS}</div>'
    part = st.components.v2.component("save_picture", html=html, css=CSS, js=SAVE)
    part(data={"name": name}, key=f"save-{name}")


def copy_buttons(texts: dict[str, str], key: str) -> None:
    """A button for each label of ``texts`` that copies its text."""
    html = f'<div class="row">{STATUS}</div>'
    part = st.components.v2.component("copy_text", html=html, css=CSS, js=COPY)
    part(data={"texts": texts}, key=f"copy-{key}")
