"""What to try first on a problem of the playground, and why."""

from clmle.playground.problem import PlaygroundProblem

FEW_MODES = 2  # up to which oversampling is level with CLMLE over the draws of docs/teaching.md
OVERLAP = 0.5  # noise from which the classes overlap there


def suggestions(problem: PlaygroundProblem) -> tuple[str, ...]:
    """Sentences on methods, clusters and controls for a problem; most rest on a single draw.

    >>> suggestions(PlaygroundProblem(ratio=1))[0].split(":")[0]
    'Method'
    """
    if problem.ratio <= 1:
        method = (
            "Method: softmax. The classes have the same number of points; there is no imbalance to "
            "correct."
        )
    elif problem.modes <= FEW_MODES:
        method = (
            "Method: oversampling first. With up to two modes class-balanced sampling is level "
            "with CLMLE over five draws of points."
        )
    else:
        method = (
            "Method: CLMLE next to oversampling. With more modes its mean over five draws of "
            "points is higher, but the ranges overlap."
        )
    found = [
        method,
        "Clusters: any number. At three modes one draw of points shows no order from 1 to 12.",
        "Control: CLMLE without Eq. 9. Over 20 draws a gain of Eq. 9 in balanced accuracy is not "
        "shown; what CLMLE gains over softmax is mostly its sampling and its classifier.",
    ]
    if problem.noise >= OVERLAP:
        found.append(
            "Noise: the classes overlap at this noise; no method of this page can separate them."
        )
    return tuple(found)
