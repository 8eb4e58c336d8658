"""Ranks of methods over several problems."""

from collections.abc import Mapping

from clmle.figures.layout import Figure, finish, new_figure, row_axis
from clmle.figures.theme import GRAY, SYMBOLS, color

__all__ = ["mean_ranks"]


def mean_ranks(ranks: Mapping[str, Mapping[str, float]], title: str) -> Figure:
    """Rank of every method on every problem, and the mean of its ranks as a line.

    Parameters
    ----------
    ranks : mapping of str to mapping of str to float
        Method -> problem -> rank, 1 for the best.
    title : str

    Returns
    -------
    plotly.graph_objects.Figure
        Methods from the best mean rank down.

    References
    ----------
    J. Demsar, *Statistical comparisons of classifiers over multiple data sets*, JMLR 7, 2006.

    Examples
    --------
    >>> figure = mean_ranks({"a": {"p": 2, "q": 1}, "b": {"p": 1, "q": 2}}, "Ranks")
    >>> [trace.name for trace in figure.data]
    ['p', 'q', 'mean rank']
    """
    means = {name: sum(own.values()) / len(own) for name, own in ranks.items()}
    names = sorted(means, key=lambda name: (means[name], name))
    figure = new_figure()
    problems = list(dict.fromkeys(p for own in ranks.values() for p in own))
    for i, problem in enumerate(problems):
        shown = [name for name in names if problem in ranks[name]]
        figure.add_scatter(
            x=[ranks[name][problem] for name in shown], y=shown, mode="markers", name=problem,
            marker={"color": color(i), "symbol": SYMBOLS[i % len(SYMBOLS)], "size": 9},
        )  # fmt: skip
    figure.add_scatter(
        x=[means[name] for name in names], y=names, mode="markers", name="mean rank",
        marker={"symbol": "line-ns", "size": 16, "line": {"color": GRAY, "width": 3}},
    )  # fmt: skip
    row_axis(figure, names)
    finish(figure, title, "rank by balanced accuracy (1 is best)", "", height=170 + 24 * len(names))
    return figure
