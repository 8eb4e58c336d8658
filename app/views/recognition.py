"""Verification and identification of unseen identities, and where they fail."""

import numpy as np
import pandas as pd
import streamlit as st

from app.widgets.contents import anchor, contents
from app.widgets.error_display import errors_in_place
from app.widgets.figure import cached, show_figure
from app.widgets.open_set import recognition_of, test_images
from app.widgets.pages import link
from app.widgets.path_access import open_path
from app.widgets.run_contents import image_row, model_of
from app.widgets.runs import all_runs, label, short_labels
from app.widgets.table import show_table
from app.widgets.uploads import uploaded_images
from clmle import figures, metrics, paper, studies

PAGE = {"title": "Recognition", "icon": ":material/person_search:", "order": 70}
SECTIONS = ("Pairs", "Training identities, from tail to head", "Two faces of your own")

MAX_RUNS = 4  # more lines cannot be distinguished
OWN = "Unseen illustrated identities of the run's data set"
FILE = "A test set on this computer"
PAPER = ("CLMLE", "CosFace (LMCL)", "SphereFace (A-Softmax)", "Softmax")


def summary(found: dict) -> None:
    """A row for each run with the usual metrics of face recognition."""
    rows = []
    for name, result in found.items():
        v, o = result.metrics["verification"], result.metrics["open_set"]
        row = {"run": name, "accuracy of pairs": v.get("accuracy"),
               "standard error": v.get("standard_error"), "AUC": v["auc"],
               "equal error rate": v["eer"]}  # fmt: skip
        for entry in (o or v)["tar_at_far"]:
            row[f"TAR at FAR {entry['far']:g}"] = entry["tar"]
        if o:
            row |= {f"rank 1, {r['distractors']:,} distractors": r["rate"] for r in o["rank_one"]}
        rows.append(row)
    table = pd.DataFrame(rows)
    config = {c: st.column_config.NumberColumn(format="%.4f") for c in table.columns[1:]}
    show_table(table, "recognition", column_config=config)
    first = next(iter(found.values())).metrics
    v, o = first["verification"], first["open_set"]
    text = f"{first['test']}: {first['images']:,} images of identities not in the training set; "
    text += f"{v['n_genuine']:,} pairs of one person and {v['n_impostor']:,} of two"
    if "folds" in v:
        text += f" in {len(v['folds'])} folds; the threshold of a fold is the best on the others"
    if o:
        text += f". TAR at FAR and ranks: every image against {o['n_distractors']:,} distractors"
    st.caption(
        text + ". Features of an image and its mirror image are concatenated and compared by "
        "cosine. One seed per run: differences between runs include the variation between seeds."
    )


def published(column: str) -> dict[str, float]:
    """Chosen results of the paper's Table 3, as fractions."""
    names = st.session_state.get("paper", [])
    rows = paper.table(3).drop_duplicates("method").set_index("method")
    return {n: float(rows.loc[n, column]) / 100 for n in names if n in rows.index}


def curves(found: dict) -> None:
    """ROC and TAR, CMC and rank 1 against the number of distractors."""
    st.multiselect(
        "Results of the paper (MegaFace: photographs, a million distractors)",
        list(paper.table(3)["method"].unique()), PAPER[:2], key="paper", bind="query-params",
        help="published results on other data, for orientation only",
    )  # fmt: skip
    roc, tars, ranks, firsts = {}, {}, {}, {}
    for name, result in found.items():
        a, open_set = result.arrays, result.metrics["open_set"]
        prefix = "open_" if open_set else ""
        roc[name] = (a[f"{prefix}far"], a[f"{prefix}tar"])
        tars[name] = (open_set or result.metrics["verification"])["tar_at_far"]
        if open_set:
            ranks[name] = metrics.cmc(a["ranks"])
            firsts[name] = open_set["rank_one"]

    def lines(of: dict, x: str, y: str) -> pd.DataFrame:
        return pd.concat(pd.DataFrame({"run": n, x: a, y: b}) for n, (a, b) in of.items())

    def rows(of: dict) -> pd.DataFrame:
        return pd.concat(pd.DataFrame(each).assign(run=n) for n, each in of.items())

    left, right = st.columns(2)
    with left:
        points = {n: (1e-6, tar) for n, tar in published("tar_at_far_1e-6").items()}
        show_figure(cached(figures.roc, roc, points), "recognition-roc", lines(roc, "far", "tar"))
    with right:
        show_figure(cached(figures.tar_by_far, tars), "recognition-tar", rows(tars))
    if not ranks:
        st.caption("This test set has no distractors, so there is no identification.")
        return
    left, right = st.columns(2)
    with left:
        data = lines(ranks, "rank", "fraction")
        show_figure(cached(figures.cmc_curves, ranks), "recognition-cmc", data)
    with right:
        points = {n: (1_000_000, rate) for n, rate in published("rank1_1m").items()}
        show_figure(
            cached(figures.rank_one_by_distractors, firsts, points), "recognition-rank-one",
            rows(firsts),
        )  # fmt: skip


def choose_run(found: dict, text: str, key: str) -> str:
    """Name of one of the runs."""
    if len(found) == 1:
        return next(iter(found))
    return st.selectbox(text, list(found), key=key, bind="query-params")


def split(arrays: dict) -> tuple[np.ndarray, np.ndarray]:
    """Similarities of genuine and of impostor pairs."""
    return arrays["similarity"][arrays["same"]], arrays["similarity"][~arrays["same"]]


def pairs(found: dict, runs: dict, test: str) -> None:
    """Similarities of pairs, and the most difficult pairs."""
    st.header(SECTIONS[0], anchor=anchor(SECTIONS[0]))
    name = choose_run(found, "Of the run", "of")
    a, v = found[name].arrays, found[name].metrics["verification"]
    thresholds = [fold["threshold"] for fold in v.get("folds", [])]
    threshold = float(np.median(thresholds)) if thresholds else 0.5
    title = f"Similarities of pairs, {name}"
    show_figure(
        cached(figures.similarities, *split(a), threshold, title=title),
        "recognition-similarities",
        pd.DataFrame({"same": a["same"], "similarity": a["similarity"]}),
    )
    hardest = metrics.challenging_pairs(a["similarity"], a["same"], threshold, each=4)
    images = test_images(str(runs[name].path), test)
    if images is None:
        return
    st.subheader("Challenging pairs")
    for title, kind in (("Correct", "right"), ("Incorrect", "wrong")):
        mine = {part: rows for part, rows in hardest.items() if part.startswith(kind)}
        strips = {
            part: [
                (images[a["first"][i]], images[a["second"][i]], float(a["similarity"][i]))
                for i in rows
            ]
            for part, rows in mine.items()
        }
        show_figure(
            figures.pair_strip(strips, title=f"{title} predictions, {name}"),
            f"recognition-pairs-{kind}",
            pd.DataFrame([
                {"pair": p, "first image": a["first"][i], "second image": a["second"][i],
                 "similarity": a["similarity"][i]}
                for p, rows in mine.items() for i in rows
            ]),
        )  # fmt: skip
    st.caption(
        "Below each pair: its similarity. The threshold is the median of those of the folds, "
        f"{threshold:.3f}. Correct: the pairs closest to it. Incorrect: the pairs farthest from it."
    )


def own_images(found: dict, runs: dict) -> None:
    """Two uploaded faces: their similarity, compared with pairs whose answer is known."""
    st.header(SECTIONS[2], anchor=anchor(SECTIONS[2]))
    name = choose_run(found, "Run", "run")
    model = model_of(runs[name])
    uploads = uploaded_images("Two images of faces", model, "own-faces", 2)
    if len(uploads) < 2:
        st.caption(
            "Upload two images, cropped to the face like the training images of the run. A "
            "network trained on illustrated faces does not transfer well to photographs."
        )
        return
    pixels, files = np.stack([image for _, image in uploads]), [file for file, _ in uploads]
    image_row(pixels, files, [f"Uploaded face, {file}" for file in files])
    features = metrics.pair_features(pixels, model.embed)
    value = float(features[0] @ features[1])
    a = found[name].arrays
    genuine, impostor = split(a)
    st.markdown(
        f"Similarity **{value:.3f}**: {float((genuine < value).mean()):.0%} of the pairs of one "
        f"person are less similar, {float((impostor > value).mean()):.0%} of the pairs of two "
        "people are more similar."
    )
    title = f"Your pair compared with known pairs, {name}"
    show_figure(
        cached(figures.similarities, genuine, impostor, marks={"your pair": value}, title=title),
        "recognition-own-pair",
        pd.DataFrame({"same": a["same"], "similarity": a["similarity"], "own pair": value}),
    )


def tail(found: dict) -> None:
    """Training identities: accuracy against the number of training images."""
    st.header(SECTIONS[1], anchor=anchor(SECTIONS[1]))
    rows = {n: r.metrics["by_frequency"] for n, r in found.items() if r.metrics["by_frequency"]}
    left, right = st.columns(2)
    with left:
        if rows:
            data = pd.concat(pd.DataFrame(r).assign(run=n) for n, r in rows.items())
            show_figure(cached(figures.accuracy_by_images, rows), "recognition-by-images", data)
        else:
            st.info("No image of a training identity was held out.", icon=":material/info:")
    with right:
        counts = next(iter(found.values())).arrays["counts"]
        data = pd.DataFrame({"images": counts})
        show_figure(cached(figures.long_tail, counts), "recognition-long-tail", data)
    st.caption("Closed set: held-out images of training identities, by the run's own classifier.")


st.title("Recognition")
st.markdown(
    "A network trained on some identities is evaluated on others. **Verification**: do two images "
    "show the same person? **Identification**: which person is it, among growing numbers of "
    "distractors? Runs of CLMLE here use its open-set preset."
)
with errors_in_place():
    runs = {run.name: run for run in all_runs() if studies.learns_identities(run)}
    runs = {name: run for name, run in runs.items() if run.model_path.exists()}
    if not runs:
        st.info(
            "No run was trained on identities yet. Train one on illustrated identities (nothing "
            "to download; about a minute), or on a folder with one sub-folder per person.",
            icon=":material/info:",
        )
        link("train", "Train on illustrated identities", data="toonfaces-identities")
        st.stop()
    chosen = st.multiselect(
        "Runs", list(runs), list(runs)[:2], key="runs", bind="query-params",
        max_selections=MAX_RUNS, format_func=lambda n: label(runs[n]),
    )  # fmt: skip
    left, right = st.columns([2, 3])
    kind = left.radio("Test set", [OWN, FILE])
    test = ""
    if kind == FILE:
        # Not part of the page's address: a link must not make the server read a path.
        test = right.text_input(
            "A .bin file, or a folder like LFW or YouTube Faces",
            help="its images must be aligned and cropped like the training images of the run",
        ).strip()
        if not test:
            st.info("Enter the file or folder.", icon=":material/info:")
            st.stop()
        test = open_path(test)
    found, picked = {}, {}
    for name, run in short_labels([runs[n] for n in chosen]).items():
        with errors_in_place():
            result = recognition_of(run, test)
            if result is not None:
                found[name], picked[name] = result, run
    if not found:
        st.stop()
    contents(SECTIONS)
    with errors_in_place():
        summary(found)
    with errors_in_place():
        curves(found)
    with errors_in_place():
        pairs(found, picked, test)
    with errors_in_place():
        tail(found)
    with errors_in_place():
        own_images(found, picked)
