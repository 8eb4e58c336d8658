"""Learning curves: loss and validation metrics during training (Fig. 3 of the paper)."""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter, methodcaller
from typing import Any

import numpy as np

from clmle.figures.layout import Figure, finish, legend_below, new_figure
from clmle.figures.theme import DASHES, GRAY, UNIT, color, line, numbered

__all__ = [
    "activity_curves", "impostor_curves", "loss_curves", "recall_curves", "training_curves",
    "validation_curves", "with_activity",
]  # fmt: skip

Metrics = Mapping[str, Sequence[Mapping[str, Any]]]
LOSS = "loss (scale differs by method)"


def loss_curves(runs: Metrics) -> Figure:
    """Training loss against step; losses of different methods have different scales.

    Parameters
    ----------
    runs : mapping of str to sequence of mappings
        Run -> records with ``step`` and ``loss``.

    Examples
    --------
    >>> loss_curves({"clmle": [{"step": 1, "loss": 2.0}]}).data[0].y
    (2.0,)
    """
    return finish(_lines(runs, {"": itemgetter("loss")}, "lines"), "Training loss", "step", LOSS)


def validation_curves(runs: Metrics, metric: str = "balanced_accuracy") -> Figure:
    """A validation metric after every round, one line per run.

    Parameters
    ----------
    runs : mapping of str to sequence of mappings
        Run -> records with ``step`` and the metric.
    metric : str

    Examples
    --------
    >>> validation_curves({"clmle": [{"step": 40, "balanced_accuracy": 0.8}]}).data[0].x
    (40,)
    """
    figure = _lines(runs, {"": itemgetter(metric)}, "lines+markers")
    figure.update_xaxes(rangemode="tozero")  # a single round would have fractions of a step
    figure.update_yaxes(range=UNIT)
    label = metric.replace("_", " ")
    return finish(figure, f"{label.capitalize()} on validation images", "step", label)


def _lines(
    runs: Metrics, series: Mapping[str, Callable[[Mapping[str, Any]], Any]], mode: str
) -> Figure:
    """Lines of every run; of several series a line has the dash of its series."""
    figure = new_figure()
    for i, (name, records) in zip(numbered(runs), runs.items(), strict=True):
        for k, (label, value) in enumerate(series.items()):
            points = [(m["step"], value(m)) for m in records if value(m) is not None]
            if points or not label:
                figure.add_scatter(
                    x=[x for x, _ in points], y=[y for _, y in points], mode=mode,
                    name=f"{name}: {label}" if label else name,
                    line={"color": color(i), "dash": DASHES[(k if label else i) % len(DASHES)]},
                )  # fmt: skip
    return figure


def recall_curves(runs: Metrics, class_names: Sequence[str]) -> Figure:
    """Validation recall of every class after every round: color is the run, dash the class.

    Parameters
    ----------
    runs : mapping of str to sequence of mappings
        Run -> records with ``step`` and ``recall`` (C,).
    class_names : sequence of str
        Names of the classes; the first four are drawn.

    Examples
    --------
    >>> figure = recall_curves({"clmle": [{"step": 40, "recall": [0.9, 0.6]}]}, ["no", "yes"])
    >>> [trace.name for trace in figure.data]
    ['clmle: no', 'clmle: yes']
    """
    recalls = {
        name: lambda record, c=c: record["recall"][c] for c, name in enumerate(class_names[:4])
    }
    figure = _lines(runs, recalls, "lines+markers")
    figure.update_xaxes(rangemode="tozero")
    figure.update_yaxes(range=[-0.03, 1.03])
    return finish(figure, "Recall of each class on validation images", "step", "recall", height=380)


def with_activity(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The records of steps with Eq. 9.

    Parameters
    ----------
    records : sequence of mappings
        "train" lines of a run's metrics.

    Returns
    -------
    list of mappings

    Examples
    --------
    >>> with_activity([{"step": 1}, {"step": 5, "active_between": 0.5}])
    [{'step': 5, 'active_between': 0.5}]
    """
    return [record for record in records if record.get("active_between") is not None]


ACTIVITY = {
    "active_between": "between classes",
    "active_within": "within a class",
    "gradient_fraction": "fraction of the gradient",
}


def activity_curves(runs: Metrics) -> Figure:
    """How much Eq. 9 does in every logged step.

    Parameters
    ----------
    runs : mapping of str to sequence of mappings
        Run -> records with ``step``, ``active_between`` and, where given, ``active_within``
        (fractions of samples whose hinge is above zero) and ``gradient_fraction`` (norm of the
        gradient of Eq. 9 with respect to the features, over the sum of all terms' norms).

    References
    ----------
    C. Huang, Y. Li, C. C. Loy, X. Tang, *Deep imbalanced learning for face recognition and
    attribute prediction*, Eq. 9.

    Examples
    --------
    >>> figure = activity_curves({"clmle": [{"step": 5, "active_between": 0.5}]})
    >>> [trace.name for trace in figure.data]
    ['clmle: between classes']
    """
    series = {label: methodcaller("get", key) for key, label in ACTIVITY.items()}
    figure = _lines(runs, series, "lines")
    figure.update_yaxes(range=[-0.03, 1.03])
    return finish(figure, "Samples with a hinge above zero (Eq. 9)", "step", "fraction", height=380)


def impostor_curves(runs: Metrics) -> Figure:
    """Impostor rate of the minority classes on validation images after every round.

    Parameters
    ----------
    runs : mapping of str to sequence of mappings
        Run -> records with ``step`` and ``minority_impostor_rate``, the mean fraction of other
        classes among the 10 nearest neighbors.

    Examples
    --------
    >>> impostor_curves({"clmle": [{"step": 40, "minority_impostor_rate": 0.3}]}).data[0].y
    (0.3,)
    """
    figure = _lines(runs, {"": itemgetter("minority_impostor_rate")}, "lines+markers")
    figure.update_xaxes(rangemode="tozero")
    figure.update_yaxes(range=UNIT)
    title = "Impostors among the neighbors of the minority, validation images"
    return finish(figure, title, "step", "impostor rate", height=380)


def training_curves(
    curves: Mapping[str, tuple[Sequence[float] | np.ndarray, np.ndarray]],
    title: str,
    *,
    level: float | None = None,
    reached: Mapping[str, float] | None = None,
    y: str = "balanced accuracy on validation images",
) -> Figure:
    """Mean over seeds with a band of one standard deviation, one color and dash per method.

    Parameters
    ----------
    curves : mapping of str to (iterations (n,), values (seeds, n))
    title : str
    level : float, optional
        A horizontal line.
    reached : mapping of str to float, optional
        Method -> iterations after which it reaches ``level``, marked on the line.
    y : str
        Label of the vertical axis.

    Examples
    --------
    >>> curves = {"clmle": ([10, 20], np.array([[0.6, 0.8], [0.7, 0.9]]))}
    >>> [round(v, 2) for v in training_curves(curves, "Balanced accuracy").data[1].y]
    [0.65, 0.85]
    """
    figure = new_figure()
    for i, (name, (steps, values)) in zip(numbered(curves), curves.items(), strict=True):
        mean, x = values.mean(axis=0), [float(v) for v in steps]
        if len(values) > 1:
            spread = values.std(axis=0, ddof=1)
            red, green, blue = (int(color(i)[k : k + 2], 16) for k in (1, 3, 5))
            figure.add_scatter(
                x=x + x[::-1], y=[*(mean + spread).tolist(), *(mean - spread)[::-1].tolist()],
                fill="toself", fillcolor=f"rgba({red},{green},{blue},0.13)", mode="lines",
                line={"width": 0}, hoverinfo="skip", showlegend=False,
            )  # fmt: skip
        figure.add_scatter(
            x=x, y=mean.tolist(), name=name, mode="lines+markers", line=line(i, width=2),
            marker={"size": 5},
        )  # fmt: skip
    if level is not None:
        figure.add_hline(y=level, line={"color": GRAY, "dash": "dot", "width": 1.5})
        for i, name in enumerate(curves):
            if reached and name in reached:
                figure.add_scatter(
                    x=[reached[name]], y=[level], mode="markers+text",
                    text=[f"{reached[name]:.0f}"], textfont={"color": color(i)},
                    textposition="top left" if i % 2 else "bottom right",
                    marker={"color": color(i), "size": 12, "symbol": "star"}, showlegend=False,
                )  # fmt: skip
    return legend_below(finish(figure, title, "iterations", y, height=420))
