"""The sliders of the playground; the page's address holds their values, so that links work."""

from typing import Any

import streamlit as st

from clmle import InputError, playground

# Slider -> allowed values and default.
CONTROLS: dict[str, tuple[Any, Any]] = {
    "ratio": ((1, 2, 5, 10, 20, 40, 80), 5),
    "modes": (tuple(range(1, 9)), 3),
    "noise": ((0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.8), 0.3),
    "clusters": ((1, 2, 4, 6, 8, 12), 12),
    "dim": ((2, 3), 2),
    "seed": (range(1000), 0),
    "classifier": (tuple(playground.PLAYGROUND_CLASSIFIERS), "own"),
}
MAX_METHODS = 6


def controls(bar: Any) -> tuple[Any, int, str, list[str]]:
    """Problem, clusters of each class, classifier and methods that the visitor chose.

    The sliders are drawn in the container ``bar``.
    """
    _from_address(playground.playground_method_names(), playground.DEFAULT_METHODS)

    def slider(label: str, name: str, help: str, **options: Any) -> Any:
        return st.select_slider(
            label, CONTROLS[name][0], key=f"playground-{name}", help=help, **options
        )

    with bar:
        ratio = slider(
            "Ratio", "ratio", "training points of the majority for each one of the minority",
            format_func=lambda r: f"{r} to 1",
        )  # fmt: skip
        modes = slider(
            "Modes of each class", "modes",
            "groups of points that a class consists of; the classes alternate around the circle",
        )  # fmt: skip
        noise = slider(
            "Noise", "noise", "spread of a mode, in percent of the distance to the next mode",
            format_func=lambda v: f"{v:.0%}",
        )  # fmt: skip
        clusters = slider(
            "Clusters of each class", "clusters",
            "used by LMLE and CLMLE; the other methods and the control with one cluster ignore "
            "them",
            disabled=not any(
                map(playground.playground_uses_clusters, st.session_state["playground-methods"])
            ),
        )  # fmt: skip
    dim = st.segmented_control(
        "Shape", (2, 3), key="playground-dim", required=True,
        format_func=lambda d: "Circle" if d == 2 else "Sphere",
    )  # fmt: skip
    seed = st.number_input(
        "Seed", 0, 999, key="playground-seed",
        help="another seed draws other points and another initial network",
    )  # fmt: skip
    classifier = st.selectbox(
        "Classifier", CONTROLS["classifier"][0], key="playground-classifier",
        format_func=playground.PLAYGROUND_CLASSIFIERS.__getitem__,
        help="what reads the features. A difference between methods may come from their "
        "classifiers alone: choose one that is the same for all",
    )  # fmt: skip
    methods = st.multiselect(
        "Methods", playground.playground_method_names(), key="playground-methods", wrap=True,
        format_func=playground.playground_title, max_selections=MAX_METHODS,
        help="Eq. 9 is the loss of CLMLE that separates neighboring clusters by margins; "
        "*untrained*, *without Eq. 9* and *one cluster* (of each class) are CLMLE with one part "
        "taken away",
    )  # fmt: skip
    problem = playground.PlaygroundProblem(
        float(ratio), int(modes), float(noise), int(dim or 2), int(seed)
    )
    wanted = {name: str(getattr(problem, name, clusters)) for name in CONTROLS}
    wanted |= {"ratio": str(int(ratio)), "classifier": classifier}
    now = {name: st.query_params.get(name) for name in wanted}
    if now != wanted or st.query_params.get_all("method") != methods:
        st.query_params.update({**wanted, "method": list(methods)})
    return problem, int(clusters), classifier, methods


def set_controls(problem: Any, clusters: int, methods: tuple[str, ...]) -> None:
    """Set all sliders; has to be called before they are drawn (in a button's callback)."""
    values = {name: getattr(problem, name, clusters) for name in CONTROLS}
    values |= {"ratio": int(problem.ratio), "classifier": "own"}
    for name, value in values.items():
        st.session_state[f"playground-{name}"] = value
    st.session_state["playground-methods"] = list(methods)


def _from_address(names: tuple[str, ...], usual: tuple[str, ...]) -> None:
    """Set the sliders from the address, once per session; names values that no slider has."""
    if "playground-ratio" in st.session_state:
        # Streamlit forgets widgets of a page that was left; assigning keeps their values.
        for key in list(st.session_state):
            if str(key).startswith("playground-") and str(key) != "playground-began":
                st.session_state[key] = st.session_state[key]
        return
    wrong = []
    for name, (allowed, value) in CONTROLS.items():
        given = st.query_params.get(name)
        fits = [v for v in allowed if str(v) == given]
        st.session_state[f"playground-{name}"] = fits[0] if fits else value
        wrong += [] if fits or given is None else [f"{name} {given!r}"]
    chosen = st.query_params.get_all("method")
    wrong += [f"method {m!r}" for m in chosen if m not in names]
    methods = [m for m in dict.fromkeys(chosen) if m in names][:MAX_METHODS] or list(usual)
    st.session_state["playground-methods"] = methods
    if wrong:
        raise InputError(
            f"The address asks for {', '.join(wrong)}, which is not available; "
            "reload the page for the defaults."
        )
