"""Effects of Eq. 9: several endpoints side by side, and by the size of the minority class."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence

from clmle.figures.layout import Figure, finish, interval_bars, legend_below, new_figure
from clmle.figures.theme import GRAY, SYMBOLS, ZERO, Row, color

__all__ = ["effects", "margin_map", "regime_map"]


def _titles(panels: Iterable[str]) -> list[str]:
    """Titles of panels in lines that do not reach into the next panel."""
    return ["<br>".join(textwrap.wrap(name, 18)) for name in panels]


def effects(panels: Mapping[str, Mapping[str, Row]], title: str, x: str) -> Figure:
    """Differences with their intervals, a panel for each endpoint, a row for each variant.

    Parameters
    ----------
    panels : mapping of str to mapping of str to (mean, low, high)
        Endpoint -> variant -> difference; ``low`` and ``high`` are None for a single seed.
    title, x : str

    Examples
    --------
    >>> figure = effects({"recall": {"a1 0.5": (0.1, 0.05, 0.15)}}, "Eq. 9", "difference")
    >>> figure.data[0].x
    (0.1,)
    """
    from plotly.subplots import make_subplots

    figure = make_subplots(1, len(panels), shared_yaxes=True, subplot_titles=_titles(panels))
    names = list(dict.fromkeys(name for rows in panels.values() for name in rows))
    for column, rows in enumerate(panels.values(), start=1):
        shown = [name for name in names if name in rows]
        means = [rows[name][0] for name in shown]
        figure.add_scatter(
            x=means, y=shown, mode="markers", showlegend=False,
            marker={"color": color(0), "size": 8},
            error_x=interval_bars(means, [rows[name][1:] for name in shown]),
            row=1, col=column,
        )  # fmt: skip
        figure.add_vline(x=0, line=ZERO, row=1, col=column)
        figure.update_xaxes(title_text=x, row=1, col=column)
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1], automargin=True)
    finish(figure, title, "", "", height=170 + 20 * len(names))
    figure.update_xaxes(title_text=x)
    figure.update_layout(margin_t=130, width=260 + 240 * len(panels))
    return figure


def regime_map(
    panels: Mapping[str, Mapping[str, Sequence[tuple[float, float, float | None, float | None]]]],
    title: str,
    x: str,
    y: str,
) -> Figure:
    """Effects against the size of the minority class, a panel for each endpoint.

    Parameters
    ----------
    panels : mapping of str to mapping of str to sequence of (size, mean, low, high)
        Endpoint -> condition -> effect at each size of the minority class.
    title, x, y : str

    Examples
    --------
    >>> figure = regime_map({"recall": {"clusters": [(30, 0.0, -0.1, 0.1)]}}, "t", "points", "pp")
    >>> figure.data[0].name
    'clusters'
    """
    from plotly.subplots import make_subplots

    figure = make_subplots(1, len(panels), subplot_titles=_titles(panels), horizontal_spacing=0.09)
    for column, lines in enumerate(panels.values(), start=1):
        for i, (name, points) in enumerate(lines.items()):
            figure.add_scatter(
                x=[p[0] for p in points], y=[p[1] for p in points], name=name,
                mode="lines+markers", legendgroup=name, showlegend=column == 1,
                marker={"color": color(i), "symbol": SYMBOLS[i % len(SYMBOLS)], "size": 9},
                line={"color": color(i), "dash": "dot" if "noise" in name else "solid"},
                error_y=interval_bars([p[1] for p in points], [p[2:] for p in points]),
                row=1, col=column,
            )  # fmt: skip
        figure.add_hline(y=0, line=ZERO, row=1, col=column)
        sizes = sorted({p[0] for points in lines.values() for p in points})
        figure.update_xaxes(
            type="log", tickvals=sizes, ticktext=[f"{s:g}" for s in sizes], title_text=x,
            row=1, col=column,
        )  # fmt: skip
    finish(figure, title, "", "", height=430)
    figure.update_xaxes(title_text=x)
    figure.update_yaxes(title_text=y, col=1)
    figure.update_layout(margin_t=130, width=200 + 300 * len(panels))
    return legend_below(figure)


def margin_map(
    endpoints: Mapping[str, Sequence[tuple[str, float, Row]]], title: str, x: str, y: str
) -> Figure:
    """Effects against the margin of test data, a symbol for each endpoint.

    Parameters
    ----------
    endpoints : mapping of str to sequence of (label, margin, (mean, low, high))
        Endpoint -> a condition's label, its margin, and the effect with its interval.
    title, x, y : str

    Examples
    --------
    >>> figure = margin_map({"purity": [("30", 0.4, (1.0, 0.5, 1.5))]}, "t", "margin", "pp")
    >>> figure.data[0].x
    (0.4,)
    """
    figure = new_figure()
    for i, (name, found) in enumerate(endpoints.items()):
        means = [row[0] for _, _, row in found]
        figure.add_scatter(
            x=[margin for _, margin, _ in found], y=means, name=name, mode="markers+text",
            text=[label for label, _, _ in found] if i == 0 else None, textposition="bottom center",
            textfont={"size": 11, "color": GRAY},
            marker={"color": color(i), "symbol": SYMBOLS[i % len(SYMBOLS)], "size": 10},
            error_y=interval_bars(means, [row[1:] for _, _, row in found], thickness=1),
        )  # fmt: skip
    figure.add_hline(y=0, line=ZERO)
    finish(figure, title, x, y, height=480)
    return legend_below(figure)
