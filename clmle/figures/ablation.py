"""One or two hyper-parameters varied, all else equal."""

from collections.abc import Mapping, Sequence

import numpy as np

from clmle.figures.layout import Figure, finish, legend_below, new_figure
from clmle.figures.theme import DASHES, SYMBOLS, color, numbered

__all__ = ["factor_lines", "one_factor", "two_factors"]

METRIC = "balanced accuracy on test images"


def one_factor(
    seeds: Mapping[float, Sequence[float]], title: str, x: str, y: str = METRIC
) -> Figure:
    """Metric against one hyper-parameter: a mark for every seed and a line through the means.

    Parameters
    ----------
    seeds : mapping of float to sequence of float
        Value of the hyper-parameter -> metric of every seed. The axis is logarithmic where the
        values span a decade or more.
    title, x, y : str

    Examples
    --------
    >>> figure = one_factor({4: [0.80, 0.82], 8: [0.84, 0.86]}, "Scale", "scale s")
    >>> [round(v, 2) for v in figure.data[1].y]
    [0.81, 0.85]
    """
    return factor_lines({"": seeds}, title, x, y)


def factor_lines(
    series: Mapping[str, Mapping[float, Sequence[float]]], title: str, x: str, y: str = METRIC
) -> Figure:
    """As :func:`one_factor`, with one line for each method or other setting.

    Parameters
    ----------
    series : mapping of str to mapping
        Name -> value of the hyper-parameter -> metric of every seed.
    title, x, y : str

    Examples
    --------
    >>> figure = factor_lines({"clmle": {1: [0.9]}, "softmax": {1: [0.8]}}, "Ratio", "ratio")
    >>> sorted({trace.name for trace in figure.data})
    ['clmle', 'softmax']
    """
    figure = new_figure()
    values = sorted({v for points in series.values() for v in points})
    for i, (name, points) in zip(numbered(series), series.items(), strict=True):
        at, mark = sorted(points), SYMBOLS[i % len(SYMBOLS)]
        figure.add_scatter(
            x=[v for v in at for _ in points[v]], y=[s for v in at for s in points[v]],
            mode="markers", name=name or "one seed", showlegend=not name,
            marker={"color": color(i), "size": 7, "opacity": 0.5, "symbol": mark + "-open"},
        )  # fmt: skip
        figure.add_scatter(
            x=at, y=[float(np.mean(points[v])) for v in at], mode="lines+markers",
            name=name or "mean", marker={"size": 8, "symbol": mark},
            line={"color": color(i), "dash": DASHES[(i // 2) % 4], "width": 2},
        )  # fmt: skip
    finish(figure, title, x, y, height=380)
    if values and values[0] > 0 and values[-1] >= 10 * values[0]:
        figure.update_xaxes(type="log")
    figure.update_xaxes(tickvals=values, ticktext=[f"{v:g}" for v in values])
    return legend_below(figure)


def two_factors(
    means: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
    x: str = "",
    y: str = "",
    spreads: np.ndarray | None = None,
) -> Figure:
    """Heat map of a metric over two hyper-parameters.

    Parameters
    ----------
    means : (R, C) array
        Mean metric; NaN leaves the field empty.
    rows, columns : sequences of str
        Labels of the R rows and C columns.
    title, x, y : str
    spreads : (R, C) array, optional
        Standard deviations over seeds, written behind the means.

    Examples
    --------
    >>> figure = two_factors(np.array([[0.8, 0.9]]), ["a1 0.1"], ["a2 0.1", "a2 0.2"], "Margins")
    >>> figure.data[0].text[0]
    ['0.800', '0.900']
    """

    def text(i: int, j: int) -> str:
        if not np.isfinite(means[i, j]):
            return ""
        spread = np.nan if spreads is None else spreads[i, j]
        return f"{means[i, j]:.3f}" + (f" ± {spread:.3f}" if np.isfinite(spread) else "")

    figure = new_figure()
    figure.add_heatmap(
        z=[[float(v) if np.isfinite(v) else None for v in row] for row in means],
        x=[str(c) for c in columns], y=[str(r) for r in rows],
        text=[[text(i, j) for j in range(len(columns))] for i in range(len(rows))],
        texttemplate="%{text}", colorscale="Cividis", colorbar={"title": "", "thickness": 14},
        xgap=2, ygap=2,
    )  # fmt: skip
    finish(figure, title, x, y, height=170 + 58 * len(rows))
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(type="category")
    return figure
