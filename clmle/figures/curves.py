"""What happens during training: loss, balanced accuracy, recall of every class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clmle.figures.theme import DASHES, color, finish

Metrics = Mapping[str, Sequence[Mapping[str, Any]]]


def loss_curves(runs: Metrics) -> Any:
    """Training loss against step; losses of different methods are on different scales."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for i, (name, lines) in enumerate(runs.items()):
        figure.add_scatter(
            x=[m["step"] for m in lines],
            y=[m["loss"] for m in lines],
            name=name,
            mode="lines",
            line={"color": color(i), "dash": DASHES[i % 4]},
        )
    return finish(figure, "Training loss", "step", "loss (scale differs by method)")


def validation_curves(runs: Metrics, figure_name: str = "balanced_accuracy") -> Any:
    """A validation figure after every round, one line a run."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for i, (name, lines) in enumerate(runs.items()):
        figure.add_scatter(
            x=[m["step"] for m in lines],
            y=[m[figure_name] for m in lines],
            name=name,
            mode="lines+markers",
            line={"color": color(i), "dash": DASHES[i % 4]},
        )
    figure.update_xaxes(rangemode="tozero")  # else a first round alone has fractions of a step
    figure.update_yaxes(range=[-0.02, 1.02])
    label = figure_name.replace("_", " ")
    return finish(figure, f"{label.capitalize()} on validation images", "step", label)


def recall_curves(runs: Metrics, class_names: Sequence[str]) -> Any:
    """Recall of every class after every round: color is the run, dash the class."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for i, (name, lines) in enumerate(runs.items()):
        for c, class_name in enumerate(class_names[:4]):
            figure.add_scatter(
                x=[m["step"] for m in lines],
                y=[m["recall"][c] for m in lines],
                name=f"{name}: {class_name}",
                mode="lines+markers",
                line={"color": color(i), "dash": DASHES[c % 4]},
            )
    figure.update_xaxes(rangemode="tozero")
    figure.update_yaxes(range=[-0.03, 1.03])
    return finish(figure, "Recall of each class on validation images", "step", "recall", height=380)
