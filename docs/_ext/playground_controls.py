"""CLMLE and its controls on draws of the playground: training, table and statement.

``python docs/_ext/playground_controls.py`` trains them, in some minutes, and stores the metrics.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[1]
STORED = DOCS / "playground_controls.csv"
DRAWS = range(100, 120)  # the settings were chosen on others
PARAMETERS = {"ratio": 5.0, "modes": 3, "noise": 0.3}
METRICS = ("balanced_accuracy", "worst_mode_recall", "purity")
# The methods in the statement, CLMLE apart.
PHRASES = {
    "clmle, untrained": "the untrained network",
    "clmle, without Eq. 9": "the same training without Eq. 9",
    "clmle, one cluster": "one cluster per class",
}


def metrics_of_draw(seed: int) -> list[dict[str, Any]]:
    """Metrics at the end of training of every method on the draw ``seed``."""
    import torch

    from clmle.playground import PlaygroundProblem, train_trajectory

    torch.set_num_threads(1)  # as the app does
    problem = PlaygroundProblem(seed=seed, **PARAMETERS)  # type: ignore[arg-type]
    trained = {name: train_trajectory(problem, name) for name in ("clmle", *PHRASES)}
    return [
        {"draw": seed, "method": name}
        | {metric: round(float(getattr(t, metric)[-1]), 4) for metric in METRICS}
        for name, t in trained.items()
    ]


def stored() -> Any:
    """Metric and method -> the values of all draws."""
    import pandas as pd

    return pd.read_csv(STORED).pivot(index="draw", columns="method", values=list(METRICS))


def better_on(metric: str = "balanced_accuracy") -> dict[str, int]:
    """Control -> number of draws on which ``metric`` of CLMLE is higher."""
    values = stored()[metric]
    return {name: int((values["clmle"] > values[name]).sum()) for name in PHRASES}


def rows() -> tuple[list[Any], list[list[Any]]]:
    """Heads and rows of the table: means over the draws."""
    from clmle.playground import playground_title

    values, better = stored(), better_on()
    heads = ["method", "balanced accuracy", "recall of the worst mode", "purity", "CLMLE better on"]
    return heads, [
        [
            playground_title(name),
            *(f"{100 * values[metric][name].mean():.1f} %" for metric in METRICS),
            f"{better[name]} of {len(values)} draws" if name in better else "",
        ]
        for name in ("clmle", *PHRASES)
    ]


def statement() -> str:
    """What the draws show, in words."""
    from scipy.stats import binomtest

    values, better = stored(), better_on()
    worst = [str(count) for count in better_on("worst_mode_recall").values()]
    mean = 100 * values["balanced_accuracy"].mean()
    than = [f"{text} ({mean[m]:.1f} %) on {better[m]} draws" for m, text in PHRASES.items()]
    low = {m: binomtest(better[m], len(values), alternative="greater").pvalue for m in PHRASES}
    clear = [text for m, text in PHRASES.items() if low[m] < 0.025]
    unclear = [text for m, text in PHRASES.items() if low[m] >= 0.025]
    text = (
        f"On {len(values)} draws of three modes (ratio 5 to 1, noise 30 %), CLMLE reaches "
        f"{mean['clmle']:.1f} % balanced accuracy on average. It is better than {than[0]}, than "
        f"{than[1]}, and than {than[2]}. By a sign test (p < 0.05), CLMLE is better than "
        f"{_listed(clear)}"
        + (f"; a gain over {_listed(unclear)} is not shown." if unclear else ".")
        + f" The recall of its worst minority mode is higher than theirs on {_listed(worst)} of "
        "the draws."
    )
    return "\n" + textwrap.fill(text, 140) + "\n"


def _listed(names: list[str]) -> str:
    *first, last = names or ["none of them"]
    return f"{', '.join(first)} and {last}" if first else last


def main() -> None:
    import pandas as pd

    sys.path.insert(0, str(DOCS.parent))
    found = [row for seed in DRAWS for row in metrics_of_draw(seed)]
    pd.DataFrame(found).to_csv(STORED, index=False)


if __name__ == "__main__":
    main()
