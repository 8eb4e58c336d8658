"""Exported tables contain no formulas."""

import csv
import io

import pandas as pd

from app.widgets.spreadsheet import as_csv


def test_no_text_of_a_table_is_a_formula():
    evil = ['=HYPERLINK("http://x")', "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1"]
    frame = pd.DataFrame({"=name": evil, "n": [-1.5, 2, 3, 4, 5, 6]})
    rows = list(csv.reader(io.StringIO(as_csv(frame, sep="\t"), newline=""), delimiter="\t"))
    fields = [row[0] for row in rows]
    assert fields == ["'=name", *("'" + text.replace("\r", " ") for text in evil)]


def test_all_other_values_are_unchanged():
    frame = pd.DataFrame(
        {"share": [-0.5, None], "text": ["-0.5", "a, b"], "kind": pd.Categorical(["x", "y"])}
    )
    assert as_csv(frame) == frame.to_csv(index=False)
