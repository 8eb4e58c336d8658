"""The dials of the sphere; the address of the page holds them, so that a link restores a view."""

from __future__ import annotations

from typing import Any

import streamlit as st

from clmle.errors import InputError

RATIOS = (1, 2, 5, 10, 20, 40, 80)
NOISES = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5)
CLUSTERS = (1, 2, 4, 6, 8, 12)
MOST = 6  # methods side by side


def controls() -> tuple[Any, int, list[str]]:
    """Problem, clusters of each class, and methods, as dialled."""
    from clmle.methods import variant_title
    from clmle.playground import DEFAULT_METHODS, PlaygroundProblem, playground_method_names

    _from_address(playground_method_names(), DEFAULT_METHODS)
    left, right = st.columns(2)
    ratio = left.select_slider(
        "Ratio", RATIOS, key="sphere-ratio", format_func=lambda r: f"{r} to 1",
        help="training points of the majority for each one of the minority",
    )  # fmt: skip
    modes = right.select_slider(
        "Modes of each class", tuple(range(1, 9)), key="sphere-modes",
        help="groups that a class consists of; the classes take turns around the circle",
    )  # fmt: skip
    noise = left.select_slider(
        "Noise", NOISES, key="sphere-noise", format_func=lambda v: f"{v:.0%}",
        help="spread of a mode, as a share of the way to the next one",
    )  # fmt: skip
    clusters = right.select_slider(
        "Clusters of each class", CLUSTERS, key="sphere-clusters",
        help="for LMLE and CLMLE alone; the other methods have none",
    )  # fmt: skip
    shape = left.segmented_control(
        "Shape", (2, 3), key="sphere-dim", format_func=lambda d: "Circle" if d == 2 else "Sphere"
    )
    seed = right.number_input(
        "Draw", 0, 999, key="sphere-seed", help="another number, other points and another start"
    )
    methods = st.multiselect(
        "Methods, side by side", playground_method_names(), key="sphere-methods",
        format_func=variant_title, max_selections=MOST,
        wrap=True,
    )  # fmt: skip
    problem = PlaygroundProblem(float(ratio), int(modes), float(noise), int(shape or 2), int(seed))
    _to_address(problem, int(clusters), methods)
    return problem, int(clusters), methods


def set_controls(problem: Any, clusters: int, methods: tuple[str, ...]) -> None:
    """Turn all dials; to be called before they are drawn (a button's callback)."""
    state = st.session_state
    state["sphere-ratio"], state["sphere-modes"] = int(problem.ratio), problem.modes
    state["sphere-noise"], state["sphere-clusters"] = problem.noise, clusters
    state["sphere-dim"], state["sphere-seed"] = problem.dim, problem.seed
    state["sphere-methods"] = list(methods)


def _from_address(names: tuple[str, ...], usual: tuple[str, ...]) -> None:
    """What the address says, once a session; a value that no dial has is named."""
    from clmle.playground import PlaygroundProblem

    if "sphere-ratio" in st.session_state:
        # A page that was left and comes back keeps its dials.
        for key in list(st.session_state):
            if str(key).startswith("sphere-") and str(key) != "sphere-began":
                st.session_state[key] = st.session_state[key]
        return
    usual_dials = {
        "ratio": 20, "modes": 3, "noise": 0.3, "clusters": 12, "dim": 2, "seed": 0,
    }  # fmt: skip
    allowed: dict[str, Any] = {
        "ratio": RATIOS, "modes": range(1, 9), "noise": NOISES, "clusters": CLUSTERS,
        "dim": (2, 3), "seed": range(1000),
    }  # fmt: skip
    values: dict[str, Any] = {}
    wrong = []
    for name, value in usual_dials.items():
        given = st.query_params.get(name)
        values[name] = value
        if given is not None:
            fits = [v for v in allowed[name] if str(v) == given]
            values[name] = fits[0] if fits else value
            wrong += [] if fits else [f"{name} {given!r}"]
    chosen = st.query_params.get_all("method")
    wrong += [f"method {m!r}" for m in chosen if m not in names]
    methods = [m for m in dict.fromkeys(chosen) if m in names][:MOST] or list(usual)
    dialled = PlaygroundProblem(
        float(values["ratio"]), values["modes"], values["noise"], values["dim"], values["seed"]
    )
    set_controls(dialled, values["clusters"], tuple(methods))
    if wrong:
        raise InputError(
            f"The address asks for {', '.join(wrong)}, which no dial has; "
            "reload the page for the usual dials."
        )


def _to_address(problem: Any, clusters: int, methods: list[str]) -> None:
    wanted: dict[str, Any] = {
        "ratio": str(int(problem.ratio)), "modes": str(problem.modes),
        "noise": str(problem.noise), "clusters": str(clusters), "dim": str(problem.dim),
        "seed": str(problem.seed), "method": list(methods),
    }  # fmt: skip
    now = {name: st.query_params.get(name) for name in wanted} | {
        "method": st.query_params.get_all("method")
    }
    if now != wanted:
        st.query_params.update(wanted)
