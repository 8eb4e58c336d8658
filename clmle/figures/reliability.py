"""Reliability diagram: observed frequency against predicted probability."""

from collections.abc import Mapping, Sequence
from typing import Any

from clmle.figures.layout import Figure, finish, interval_bars, legend_below, new_figure
from clmle.figures.theme import GRAY, UNIT, color

__all__ = ["reliability"]


def reliability(bins: Sequence[Mapping[str, Any]], title: str = "Reliability diagram") -> Figure:
    """Observed frequency against predicted probability; on the diagonal they agree.

    Parameters
    ----------
    bins : sequence of mappings
        What :func:`clmle.metrics.reliability_bins` returns.
    title : str

    Examples
    --------
    >>> from clmle.metrics import reliability_bins
    >>> figure = reliability(reliability_bins([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.9], n_bins=2))
    >>> [round(y, 2) for y in figure.data[2].y]
    [0.33, 1.0]
    """
    n = sum(b["n"] for b in bins)
    frequency = [b["frequency"] for b in bins]
    figure = new_figure()
    figure.add_bar(
        x=[(b["low"] + b["high"]) / 2 for b in bins], y=[b["n"] / n for b in bins],
        width=[max(b["high"] - b["low"], 0.004) for b in bins], name="fraction of the images",
        marker={"color": GRAY, "opacity": 0.3}, customdata=[b["n"] for b in bins],
        hovertemplate="%{customdata:,} images<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", name="right probabilities", hoverinfo="skip",
        line={"color": GRAY, "dash": "dot", "width": 1.2},
    )  # fmt: skip
    figure.add_scatter(
        x=[b["probability"] for b in bins], y=frequency, mode="lines+markers",
        name="observed, 95 % interval", line={"color": color(0), "width": 1.5},
        marker={"color": color(0), "size": 9},
        error_y=interval_bars(frequency, [b["interval"] for b in bins]),
        customdata=[b["n"] for b in bins],
        hovertemplate="predicted %{x:.3f}, observed %{y:.3f}, %{customdata:,} images"
        "<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(range=UNIT)
    figure.update_yaxes(range=UNIT)
    labels = "predicted probability", "observed frequency"
    return legend_below(finish(figure, title, *labels, height=400))
