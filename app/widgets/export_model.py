"""The model of a run as a download, with the code that loads it."""

import zipfile
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import streamlit as st

from app.widgets.literal import literal
from app.widgets.run_contents import model_of
from clmle import RunFolder

PYTHON = """from clmle import Model, predict

model = Model.from_pretrained("{name}")
table = predict(model, "{source}")  # class and probabilities of every {what}
"""
SHELL = """clmle predict {name}/ {source} --out predictions.csv
# for programs without clmle, on this computer:
clmle export {run} --to onnx --out model.onnx
"""


def export_model(run: RunFolder, found: Any) -> None:
    """A download of the model, and the code that uses it."""
    model = model_of(run)
    images = len(model.image_shape) == 3
    name = f"{run.name}-model"
    words = {"name": name, "run": run.name, "source": "photos/" if images else "features.parquet",
             "what": "image" if images else "row"}  # fmt: skip
    st.download_button(
        "Model as a zip file", lambda: packed(model, name), f"{name}.zip", "application/zip",
        icon=":material/download:", type="primary",
    )  # fmt: skip
    st.markdown(
        "The folder in it holds weights, classifier, preprocessing, class names and a model card "
        "with the data and metrics of this run. Unpack it where clmle is installed; in Python:"
    )
    st.code(PYTHON.format(**words), language="python", wrap_lines=True)
    st.markdown("On the command line:")
    st.code(SHELL.format(**words), language="bash", wrap_lines=True)
    names = ", ".join(found.class_names[:20]) + ", ..." * (len(found.class_names) > 20)
    st.caption(f"Classes: {literal(names)}.")


def packed(model: Any, name: str) -> bytes:
    """The folder of a model as a zip file."""
    buffer = BytesIO()
    with TemporaryDirectory() as home, zipfile.ZipFile(buffer, "w") as archive:
        folder = Path(home, name)
        model.save_pretrained(folder)
        for file in sorted(folder.iterdir()):
            archive.write(file, f"{name}/{file.name}")
    return buffer.getvalue()
