"""How many images each class has (Fig. 6 of the paper)."""

from collections.abc import Mapping, Sequence

import numpy as np

from clmle.figures.layout import Figure, every_name, finish, log_ticks, new_figure
from clmle.figures.theme import color

__all__ = ["class_counts", "co_occurrence", "long_tail", "positive_rates"]


def class_counts(
    names: Sequence[str],
    counts: Mapping[str, Sequence[int] | np.ndarray],
    title: str = "Images of each class",
) -> Figure:
    """Bars of class counts, one series for each key of ``counts``.

    Parameters
    ----------
    names : sequence of str
        Names of the C classes.
    counts : mapping of str to (C,) counts
        For example before and after thinning.
    title : str

    Examples
    --------
    >>> class_counts(["no", "yes"], {"all": [900, 100]}).data[0].text
    ('900', '100')
    """
    figure = new_figure()
    for i, (label, values) in enumerate(counts.items()):
        text = [f"{v:,}" for v in values] if len(names) <= 12 else None
        figure.add_bar(
            x=list(names), y=list(values), name=label, marker_color=color(i), text=text,
            textangle=0, textposition="outside", cliponaxis=False,
        )  # fmt: skip
    figure.update_layout(barmode="group")
    figure.update_xaxes(**every_name(names))
    return finish(figure, title, "class", "images")


def positive_rates(rates: Mapping[str, float]) -> Figure:
    """Fraction of positive images of every attribute, rarest first.

    Parameters
    ----------
    rates : mapping of str to float
        Attribute -> fraction of positive images, 0 to 1.

    Examples
    --------
    >>> positive_rates({"Smiling": 0.48, "Bald": 0.02}).data[0].y
    ('Bald', 'Smiling')
    """
    order = sorted(rates, key=lambda name: rates[name])
    values = [100 * rates[name] for name in order]
    figure = new_figure()
    figure.add_bar(
        x=values, y=[name.replace("_", " ") for name in order], orientation="h",
        marker_color=color(0), text=[f"{v:.1f} %" for v in values], textposition="outside",
        cliponaxis=False,
    )  # fmt: skip
    figure.update_xaxes(range=[0, max(values, default=1) * 1.18])
    height = 120 + 26 * len(order)
    return finish(figure, "Frequency of each attribute", "positive images, %", "", height=height)


def co_occurrence(phi: np.ndarray, names: Sequence[str]) -> Figure:
    """Heat map of the phi coefficient of every two attributes; the diagonal stays empty.

    Parameters
    ----------
    phi : (A, A) array
        Phi coefficients, -1 to 1; NaN where undefined.
    names : sequence of str
        Names of the A attributes.

    Examples
    --------
    >>> co_occurrence(np.array([[1, 0.4], [0.4, 1]]), ["Bald", "Gray_Hair"]).data[0].z[0]
    [None, 0.4]
    """
    words = [name.replace("_", " ") for name in names]
    values = np.where(np.eye(len(words), dtype=bool), np.nan, phi)
    most = max(0.1, float(np.nanmax(np.abs(values), initial=0)))
    figure = new_figure()
    figure.add_heatmap(
        z=[[None if np.isnan(v) else float(v) for v in row] for row in values],
        x=words, y=words, zmin=-most, zmax=most,
        colorscale=[[0, "#0072B2"], [0.5, "#F2F2F2"], [1, "#D55E00"]],
        # Above the cells: next to them it would leave too little for the labels on a phone.
        colorbar={
            "title": {"text": "phi", "side": "top"}, "thickness": 12, "orientation": "h", "y": 1,
            "yanchor": "bottom", "nticks": 5,
        },
        hovertemplate="%{x}, %{y}: %{z:.2f}<extra></extra>",
    )  # fmt: skip
    finish(figure, "Co-occurrence of attributes", "", "", height=250 + 22 * len(words))
    small = {"showgrid": False, "tickfont": {"size": 11}}
    figure.update_xaxes(tickangle=-90, **small, **every_name(words))
    figure.update_yaxes(autorange="reversed", **small, **every_name(words))
    return figure


def long_tail(counts: Sequence[int] | np.ndarray) -> Figure:
    """Images of each identity, largest first, on a logarithmic axis.

    Parameters
    ----------
    counts : (I,) counts
        Images of each identity, in any order.

    Examples
    --------
    >>> long_tail([2, 50, 4]).data[0].y.tolist()
    [50, 4, 2]
    """
    values = np.sort(np.asarray(counts))[::-1]
    figure = new_figure()
    figure.add_scatter(
        x=np.arange(1, len(values) + 1), y=values, mode="lines", line={"color": color(0)},
        fill="tozeroy",
    )  # fmt: skip
    figure.update_yaxes(**log_ticks(1, max(2, values.max(initial=1))))
    tail = float((values <= 0.47 * values.mean()).mean())
    x = f"identity; {tail:.0%} have under half of the mean"
    return finish(figure, "Images of each identity", x, "images")
