"""People never seen in training: verification, identification, and where it goes wrong."""

import numpy as np
import pandas as pd
import streamlit as st

from app.widgets.error_display import sentences
from app.widgets.faces import face_row
from app.widgets.figure import kept, show_figure
from app.widgets.models import model_of
from app.widgets.open_set import recognition_of, test_images
from app.widgets.path_access import check_path
from app.widgets.runs import all_runs, label, short_labels
from app.widgets.table import show_table
from app.widgets.uploads import uploaded_images
from clmle.studies.open_set import learns_identities

MOST = 4  # runs at a time: more lines cannot be told apart
OWN = "The illustrated people of the run's own data"
FILE = "A test set on this computer"
PAPER = ("CLMLE", "CosFace (LMCL)", "SphereFace (A-Softmax)", "Softmax")


def summary(found: dict) -> None:
    """A row for each run: what tables of face recognition show."""
    rows = []
    for name, result in found.items():
        v, o = result.metrics["verification"], result.metrics["open_set"]
        row = {"run": name, "accuracy of pairs": v.get("accuracy"),
               "standard error": v.get("standard_error"), "AUC": v["auc"],
               "equal error rate": v["eer"]}  # fmt: skip
        source = o or v
        for entry in source["tar_at_far"]:
            row[f"TAR at FAR {entry['far']:g}"] = entry["tar"]
        if o:
            row |= {f"first of {r['distractors']:,}": r["rate"] for r in o["rank_one"]}
        rows.append(row)
    table = pd.DataFrame(rows)
    config = {c: st.column_config.NumberColumn(format="%.4f") for c in table.columns[1:]}
    show_table(table, "recognition", column_config=config)
    first = next(iter(found.values())).figures
    v, o = first["verification"], first["open_set"]
    text = f"{first['test']}: {first['images']:,} images of people never seen in training; "
    text += f"{v['n_genuine']:,} pairs of one person and {v['n_impostor']:,} of two"
    if "folds" in v:
        text += f" in {len(v['folds'])} folds, each judged by the threshold that is best on the "
        text += "others"
    if o:
        text += f". TAR at FAR and ranks: every image against {o['n_distractors']:,} distractors"
    st.caption(
        text + ". Features of image and mirror image side by side, compared by cosine. One seed a "
        "run: differences between runs hold a seed's luck."
    )


def published(column: str) -> dict[str, float]:
    """Figures of the paper's Table 3 that the reader asked to see, as shares."""
    from clmle.paper import table

    names = st.session_state.get("paper", [])
    rows = table(3).drop_duplicates("method").set_index("method")
    return {n: float(rows.loc[n, column]) / 100 for n in names if n in rows.index}


def curves(found: dict) -> None:
    """ROC and TAR, CMC and rank 1 by the number of distractors."""
    from clmle import figures
    from clmle.metrics.identification import cmc
    from clmle.paper import table

    st.multiselect(
        "Points of the paper (MegaFace: photographs, a million distractors)",
        list(table(3)["method"].unique()), PAPER[:2], key="paper", bind="query-params",
        help="published figures of other data: to see the scale, not to compare with",
    )  # fmt: skip
    roc, tars, ranks, firsts = {}, {}, {}, {}
    for name, result in found.items():
        a, open_set = result.arrays, result.metrics["open_set"]
        before = "open_" if open_set else ""
        roc[name] = (a[f"{before}far"], a[f"{before}tar"])
        tars[name] = (open_set or result.metrics["verification"])["tar_at_far"]
        if open_set:
            ranks[name] = cmc(a["ranks"])
            firsts[name] = open_set["rank_one"]
    left, right = st.columns(2)
    with left:
        points = published("tar_at_far_1e-6")
        show_figure(
            kept(figures.roc, roc, {n: (1e-6, tar) for n, tar in points.items()}),
            "recognition-roc",
            _frame(roc, "far", "tar"),
        )  # fmt: skip
    with right:
        data = pd.concat(pd.DataFrame(rows).assign(run=n) for n, rows in tars.items())
        show_figure(kept(figures.tar_by_far, tars), "recognition-tar", data)
    if not ranks:
        st.caption("This test set has no distractors, so that nobody is looked up among others.")
        return
    left, right = st.columns(2)
    with left:
        show_figure(
            kept(figures.cmc_curves, ranks), "recognition-cmc", _frame(ranks, "rank", "rate")
        )
    with right:
        points = published("rank1_1m")
        show_figure(
            kept(
                figures.rank_one_by_distractors,
                firsts,
                {n: (1_000_000, share) for n, share in points.items()},
            ),
            "recognition-rank-one",
            pd.concat(pd.DataFrame(rows).assign(run=n) for n, rows in firsts.items()),
        )


def _frame(curves_: dict, x: str, y: str) -> pd.DataFrame:
    return pd.concat(pd.DataFrame({"run": n, x: a, y: b}) for n, (a, b) in curves_.items())


def pairs(found: dict, runs: dict, test: str) -> None:
    """Similarities of pairs, and the faces of the hardest."""
    from clmle import figures
    from clmle.metrics.verification import challenging_pairs

    st.header("Pairs")
    name = next(iter(found))
    if len(found) > 1:
        name = st.selectbox("Of the run", list(found), key="of", bind="query-params")
    result = found[name]
    a, v = result.arrays, result.metrics["verification"]
    thresholds = [fold["threshold"] for fold in v.get("folds", [])]
    threshold = float(np.median(thresholds)) if thresholds else 0.5
    genuine, impostor = a["similarity"][a["same"]], a["similarity"][~a["same"]]
    show_figure(
        kept(
            figures.similarities,
            genuine,
            impostor,
            threshold,
            title=f"Similarities of pairs, {name}",
        ),
        "recognition-similarities",
        pd.DataFrame({"same": a["same"], "similarity": a["similarity"]}),
    )
    hardest = challenging_pairs(a["similarity"], a["same"], threshold, each=4)
    images = test_images(str(runs[name].path), test)
    if images is None:
        return
    strips = {
        part: [
            (images[a["first"][i]], images[a["second"][i]], float(a["similarity"][i])) for i in rows
        ]
        for part, rows in hardest.items()
    }
    st.subheader("Challenging pairs")
    for title, kind in (("Judged rightly", "right"), ("Judged wrongly", "wrong")):
        show_figure(
            figures.pair_strip(
                {p: s for p, s in strips.items() if p.startswith(kind)}, title=f"{title}, {name}"
            ),
            f"recognition-pairs-{kind}",
            pd.DataFrame([
                {"pair": p, "first image": a["first"][i], "second image": a["second"][i],
                 "similarity": a["similarity"][i]}
                for p, rows in hardest.items() if p.startswith(kind) for i in rows
            ]),
        )  # fmt: skip
    st.caption(
        "Below each pair its similarity; the threshold is the median of those of the folds, "
        f"{threshold:.3f}. Judged rightly: those nearest to it. Judged wrongly: those farthest."
    )


def own_faces(found: dict, runs: dict) -> None:
    """Two faces handed in: how alike they are, and where that lies among pairs that are known."""
    from clmle import figures
    from clmle.metrics.pair_features import pair_features

    st.header("Two faces of your own")
    name = next(iter(found))
    if len(found) > 1:
        name = st.selectbox("Judged by", list(found), key="judge", bind="query-params")
    model = model_of(runs[name])
    height, width, _ = model.image_shape
    handed = uploaded_images(
        "Two images of faces", model.image_shape, "own-faces", 2,
        f"cut to their middle, {height} x {width} pixels; they stay in this session",
    )  # fmt: skip
    if len(handed) < 2:
        st.caption(
            "Hand in two images, cut to the face as those that the run learned from. A network "
            "that learned illustrated people knows little of photographs."
        )
        return
    face_row(
        np.stack([pixels for _, pixels in handed]),
        [file for file, _ in handed],
        [f"Face handed in, {file}" for file, _ in handed],
    )
    features = pair_features(np.stack([pixels for _, pixels in handed]), model.embed)
    value = float(features[0] @ features[1])
    a = found[name].arrays
    genuine, impostor = a["similarity"][a["same"]], a["similarity"][~a["same"]]
    below, above = float((genuine < value).mean()), float((impostor > value).mean())
    st.markdown(
        f"Similarity **{value:.3f}**: {below:.0%} of the pairs of one person are less alike, "
        f"{above:.0%} of the pairs of two people are more alike."
    )
    show_figure(
        kept(
            figures.similarities,
            genuine,
            impostor,
            marks={"your pair": value},
            title=f"Your pair among others, {name}",
        ),
        "recognition-own-pair",
        pd.DataFrame({"same": a["same"], "similarity": a["similarity"], "own pair": value}),
    )


def tail(found: dict) -> None:
    """Known people: accuracy against training images, and how few images most have."""
    from clmle import figures

    st.header("Known people, from tail to head")
    rows = {n: r.figures["by_frequency"] for n, r in found.items() if r.figures["by_frequency"]}
    left, right = st.columns(2)
    with left:
        if rows:
            data = pd.concat(pd.DataFrame(r).assign(run=n) for n, r in rows.items())
            show_figure(kept(figures.accuracy_by_images, rows), "recognition-by-images", data)
        else:
            st.info("No image of a known person was held out.", icon=":material/info:")
    with right:
        counts = next(iter(found.values())).arrays["counts"]
        show_figure(
            kept(figures.long_tail, counts),
            "recognition-long-tail",
            pd.DataFrame({"images": counts}),
        )
    st.caption("Closed set: images of people who were learned, held out, by the run's own rule.")


st.title("Recognition")
st.markdown(
    "A network that learned some people is asked about others. **Verification**: are two images of "
    "one person? **Identification**: which of these people is it, among ever more strangers?"
)
with sentences():
    runs = {run.name: run for run in all_runs() if learns_identities(run)}
    runs = {name: run for name, run in runs.items() if run.model_path.exists()}
    if not runs:
        st.info(
            "No run has learned identities yet. Train one on illustrated people (nothing to "
            "download; about a minute), or on a folder with a sub-folder for each person.",
            icon=":material/info:",
        )
        st.page_link(
            "views/train.py", label="Train on illustrated people", icon=":material/model_training:",
            query_params={"data": "toonfaces-identities"},
        )  # fmt: skip
        st.stop()
    chosen = st.multiselect(
        "Runs", list(runs), list(runs)[:2], key="runs", bind="query-params", max_selections=MOST,
        format_func=lambda n: label(runs[n]),
    )  # fmt: skip
    left, right = st.columns([2, 3])
    kind = left.radio("Tested on", [OWN, FILE])
    test = ""
    if kind == FILE:
        # Not part of the page's address: a link must not make the server read a path.
        test = right.text_input(
            "A .bin file, or a folder as LFW or YouTube Faces",
            help="its images must be aligned and cut as those that the run learned from",
        ).strip()
        if not test:
            st.info("Name the file or folder.", icon=":material/info:")
            st.stop()
        check_path(test)
    found, picked = {}, {}
    for name, run in short_labels([runs[n] for n in chosen]).items():
        with sentences():
            result = recognition_of(run, test)
            if result is not None:
                found[name], picked[name] = result, run
    if not found:
        st.stop()
    with sentences():
        summary(found)
    with sentences():
        curves(found)
    with sentences():
        pairs(found, picked, test)
    with sentences():
        tail(found)
    with sentences():
        own_faces(found, picked)
