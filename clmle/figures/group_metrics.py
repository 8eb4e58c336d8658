"""A metric of every group of images with its interval."""

from collections.abc import Mapping, Sequence
from typing import Any

from clmle.figures.layout import Figure, finish, interval_bars, legend_below, new_figure, row_axis
from clmle.figures.theme import GRAY, UNIT, color

__all__ = ["group_metrics"]

METRICS = {
    "balanced_accuracy": ("balanced accuracy", "interval"),
    "accuracy": ("accuracy", "accuracy_interval"),
}


def group_metrics(
    found: Mapping[str, Any],
    metric: str = "balanced_accuracy",
    of: int | None = None,
    name: str = "",
) -> Figure:
    """One metric of every group, the worst on top, and the metric of all images as a line.

    Parameters
    ----------
    found : mapping
        What :func:`clmle.metrics.metrics_by_group` returns.
    metric : str
        "balanced_accuracy", "accuracy", "recall" or "precision".
    of : int, optional
        Class of the recall or the precision.
    name : str
        Name of that class.

    Examples
    --------
    >>> from clmle.metrics import metrics_by_group
    >>> by = metrics_by_group([0, 0, 1, 1], [0, 0, 1, 0], ["a", "b", "a", "b"])
    >>> group_metrics(by).data[0].y
    ('b (2 images)', 'a (2 images)')
    """
    title, key = METRICS.get(metric, (f"{metric} of {name}", f"{metric}_interval"))

    def value(row: Mapping[str, Any], key: str) -> Any:
        return row[key] if of is None or metric in METRICS else row[key][of]

    rows = [row for row in found["groups"] if value(row, metric) is not None]
    rows = sorted(rows, key=lambda row: value(row, metric))
    labels = [f"{row['group']} ({row['n']:,} images)" for row in rows]
    means: Sequence[float] = [value(row, metric) for row in rows]
    figure = new_figure()
    figure.add_scatter(
        x=means, y=labels, mode="markers", name="group, 95 % interval",
        marker={"color": color(0), "size": 10},
        error_x=interval_bars(means, [value(row, key) for row in rows]),
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    )  # fmt: skip
    overall = value(found["overall"], metric)
    if overall is not None:
        figure.add_scatter(
            x=[overall, overall], y=[labels[0], labels[-1]] if labels else [], mode="lines",
            name=f"all images, {overall:.3f}", hoverinfo="skip",
            line={"color": GRAY, "dash": "dot", "width": 1.5},
        )  # fmt: skip
    figure.update_xaxes(range=UNIT)
    row_axis(figure, labels)
    heading = f"{title[0].upper()}{title[1:]} of every group"
    return legend_below(finish(figure, heading, title, "", height=170 + 26 * len(rows)))
