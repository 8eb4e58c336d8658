"""Cost of errors: by threshold, and cost curves over all costs and class frequencies."""

from collections.abc import Mapping, Sequence

import numpy as np

from clmle.figures.layout import Figure, finish, legend_below, new_figure
from clmle.figures.theme import GRAY, color, line

__all__ = ["cost_by_threshold", "cost_curves"]

Line = Sequence[float] | np.ndarray


def cost_by_threshold(
    thresholds: Line, costs: Mapping[str, Line], chosen: float, current: float | None = None
) -> Figure:
    """Cost of the errors at every threshold, on an axis of log-odds.

    Parameters
    ----------
    thresholds : (m,) probabilities
        Above 0 and below 1.
    costs : mapping of str to (m,) costs
        Images, such as "validation images" -> cost at every threshold.
    chosen : float
        The threshold chosen on validation images, marked by a dashed line.
    current : float, optional
        Another threshold, marked by a solid line.

    Examples
    --------
    >>> figure = cost_by_threshold([0.1, 0.5], {"test images": [3.0, 8.0]}, chosen=0.1)
    >>> figure.data[0].y
    (3.0, 8.0)
    """
    figure = new_figure()
    for i, (name, values) in enumerate(costs.items()):
        figure.add_scatter(
            x=log_odds(thresholds), y=list(map(float, values)), mode="lines", name=name,
            line=line(i, width=2), customdata=list(map(float, thresholds)),
            hovertemplate="threshold %{customdata:.3g}: %{y:.1f}<extra>" + name + "</extra>",
        )  # fmt: skip
    highest = max((float(np.max(v)) for v in costs.values()), default=1.0)
    marks = [("chosen on validation images", chosen, GRAY, "dash")]
    if current is not None and current != chosen:
        marks.append(("slider", current, color(5), "solid"))
    for name, value, ink, dash in marks:
        figure.add_scatter(
            x=log_odds([value, value]), y=[0, highest], mode="lines", name=f"{name}: {value:.3g}",
            line={"color": ink, "dash": dash, "width": 2}, hoverinfo="skip",
        )  # fmt: skip
    shown = [0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999]
    figure.update_xaxes(tickvals=log_odds(shown), ticktext=[f"{v:g}" for v in shown])
    figure.update_yaxes(rangemode="tozero")
    title = "Cost of the errors by threshold"
    x = "probability from which the class is predicted"
    return legend_below(finish(figure, title, x, "cost per 1,000 images", height=360))


def log_odds(probabilities: Line) -> list[float]:
    """Log-odds of probabilities, for a figure bounded to those of 0.0001 and 0.9999."""
    p = np.clip(np.asarray(probabilities, dtype=np.float64), 1e-4, 1 - 1e-4)
    return [float(v) for v in np.log(p / (1 - p))]


def cost_curves(
    curves: Mapping[str, tuple[Line, Line]],
    at: float | None = None,
    title: str = "Cost curve: cost at all costs and class frequencies",
) -> Figure:
    """Normalized expected cost against probability cost, below that of constant predictions.

    Parameters
    ----------
    curves : mapping of str to (x (m,), cost (m,))
        What :func:`clmle.metrics.cost_curve` and similar functions return.
    at : float, optional
        Probability cost of the stated costs and frequencies, marked by a line.
    title : str

    Examples
    --------
    >>> figure = cost_curves({"clmle": ([0, 0.5, 1], [0, 0.1, 0])}, at=0.3)
    >>> [trace.name for trace in figure.data]
    ['constant prediction', 'clmle', 'stated cost: 0.30']
    """
    figure = new_figure()
    figure.add_scatter(
        x=[0, 0.5, 1], y=[0, 0.5, 0], mode="lines", name="constant prediction",
        line={"color": GRAY, "dash": "dot", "width": 1.5}, hoverinfo="skip",
    )  # fmt: skip
    for i, (name, (x, y)) in enumerate(curves.items()):
        figure.add_scatter(
            x=list(map(float, x)), y=list(map(float, y)), mode="lines", name=name,
            line=line(i, width=2), hovertemplate="%{x:.2f}: %{y:.3f}<extra>" + name + "</extra>",
        )  # fmt: skip
    if at is not None:
        figure.add_scatter(
            x=[at, at], y=[0, 0.5], mode="lines", name=f"stated cost: {at:.2f}",
            line={"color": color(5), "width": 2}, hoverinfo="skip",
        )  # fmt: skip
    figure.update_xaxes(range=[-0.02, 1.02])
    figure.update_yaxes(range=[-0.01, 0.52])
    labels = "probability cost", "normalized expected cost"
    return legend_below(finish(figure, title, *labels, height=380))
