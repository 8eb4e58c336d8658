"""docs/scaling.md and its figures, around the tables of bench/scaling.py: no figure of its own."""
# ruff: noqa: E501  (a row of a Markdown table is one line)

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clmle.figures.export import to_svgs
from clmle.figures.theme import DASHES, color, finish, legend_below

PAGE = """# Scaling, on paper

Made by `python -m bench.scaling --out docs/scaling.md`: every figure in it is one that this run
printed. How far the cluster index, the batches and the search go, from 10^5 to 10^9 images and from 10^2 to
10^7 classes. Seconds are processor time of one thread. Machine: {machine}.

What is small is measured; a model of a few constants (none of them negative) is fitted to it, must
foretell larger sets that took no part in the fit, and is then asked about sets that nobody here could hold.
Features are synthetic unit vectors of the paper's 512 dimensions without any structure (the clustering's
dearest case), clusters of its 200 images, batches of its 240; the classes of one set are of one size, their
images beside each other. The network itself is not part of it.

## Foretold and measured

`n` images, `C` classes, `K` clusters; the place of measurement is n x K, C x images of each, or K.

{foretold}

Read the last column before the tables below: 1 is right. What lies far from 1 is a constant that
does not carry, and the tables have at least that error where they use it: within a factor of two
on a machine with nothing else to do; beside other work the spread batch was once 2.28.

Arrays and messages are counted, not measured, and held against the formulas:

{counted}

## Memory and traffic

"Refresh, beside" is what a refresh allocates for a while. "Told" is what the processes of one run
tell each other; before it they gather the features of all images, the fourth column.

{memory}

![Memory of one process by images](figures/scaling-memory.svg)

## Time

One thread a process. Of several processes one clusters a class, so that the largest class bounds
what they gain. The search is a product and the largest of each row, exact. A spread batch looks only at the classes that it takes; the other columns of batches
compare with every cluster, exactly. The search is FAISS's flat index; on so few queries it is dearer than
the plain products of Eq. 9's column, so that column bounds from below what shards would have to do.

{time}

![Seconds of a batch by clusters](figures/scaling-time.svg)

## Ten million classes, in fact

`ClusterIndex`, `ClusterSampler` and `HardClusterSampler` as they are, with log-normal class
sizes. The classes seen are compared with what independent draws of the same shares would see; systematic
draws may see a few more.

{sampler}

## Which engine carries what, and where it stops

{ends}

| part | carried by | bounded by | stops at |
|---|---|---|---|
| network, gradients | torchrun ([guide/distributed.md](guide/distributed.md)) | its own arithmetic | softmax weights of all classes, in every process |
| features of a refresh | torchrun: extracted in shares, gathered whole | traffic, then memory | memory: every process holds all features and the whole index |
| clustering | torchrun: one class, one process | products with neighboring clusters; in very large classes, one product with all | a single class of very many images; more processes than large classes |
| batches of one neighborhood | every process, from its copy of the index | reading all centroids once | memory bandwidth |
| spread batches | every process, from its copy of the index | drawing from the classes taken, whatever their number | memory alone |
| Eq. 9 among all clusters | every process, centroids in parts | three products of the batch with all clusters | arithmetic, in every step |
| search among clusters (Eq. 10) | PyTorch, or FAISS flat in the classifier, on one machine | one product with all clusters | arithmetic; beyond it shards, each machine its part, the nearest merged: **not built** |
| many runs (sweeps) | processes of one machine, or Ray | cores | a run is not divided: a cell must fit its worker |

To be built first, in the order in which it stops: features and index kept in shares in place of
whole copies, a softmax over some of the classes, the search in shards. None of them is there.
"""

Curves = Mapping[str, tuple[list[int], list[float]]]


def page(tables: Mapping[str, str], machine: str) -> str:
    """The page of ``tables`` (name in PAGE -> Markdown) measured on ``machine``."""
    return PAGE.format(machine=machine, **tables)


def draw(curves: Mapping[str, Curves], folder: Path) -> None:
    """The page's two figures, from name -> (clusters or images, seconds or GB)."""
    drawn = {
        "time": grown(curves["time"], "A batch, on one thread", "clusters", "seconds"),
        "memory": grown(
            curves["memory"], "Features, index and a refresh in one process", "images", "GB"
        ),
    }
    to_svgs({str(folder / f"scaling-{name}.svg"): figure for name, figure in drawn.items()})


def grown(curves: Curves, title: str, x: str, y: str) -> Any:
    """Lines on logarithmic axes; they differ in color and in dashes."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for i, (name, (at, values)) in enumerate(curves.items()):
        line = {"color": color(i), "dash": DASHES[i % len(DASHES)]}
        figure.add_scatter(x=at, y=values, name=name, mode="lines", line=line)
    axis = {"type": "log", "exponentformat": "power", "dtick": 1}
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    return legend_below(finish(figure, title, x, y, height=380))
