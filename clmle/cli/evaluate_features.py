"""``clmle evaluate-features``: verification and identification metrics of labeled features."""

import argparse
import json
from typing import Any

import numpy as np

from clmle.cli.parser import CommandParser
from clmle.cli.terminal import Progress, distractor_table, table, tar_table
from clmle.data.features.files import read_rows
from clmle.data.folder.columns import plain
from clmle.data.folder.targets import one_spelling, ordered
from clmle.data.missing import known_labels
from clmle.errors import InputError, some
from clmle.files import write_json
from clmle.metrics.identification import cmc, identify
from clmle.metrics.pair_features import unit_rows
from clmle.metrics.roc import FARS, allowed
from clmle.metrics.streaming import open_set
from clmle.metrics.verification import verification_metrics

IMAGES = 6000
# Names of the column of identities, the likeliest first.
IDENTITIES = ("identity", "person", "subject", "label", "labels", "class", "target", "y")


def main(arguments: list[str]) -> int:
    """Run ``clmle evaluate-features``."""
    parser = CommandParser(
        "evaluate-features",
        "Compute verification and identification metrics of features with identity labels.\n"
        "All pairs of images are compared, at most those of --images images, drawn at random. The\n"
        "first image of each identity is the gallery, all others are probes. With --distractors\n"
        "all images are also compared with these, by the protocol of MegaFace.",
        [
            "evaluate-features features.npz",
            "evaluate-features features.npy --labels identities.txt --fars 1e-2,1e-3",
        ],
        "FEATURES [options]",
    )
    parser.add_argument(
        "features", metavar="FEATURES",
        help="file written by clmle features, or any table of features with a column identity",
    )  # fmt: skip
    parser.add_argument(
        "--labels", help="identity of each image: .npy, .txt with one on each line, or a table"
    )
    parser.add_argument("--distractors", help="file with features of other identities")
    parser.add_argument("--fars", help="false accept rates, such as 1e-2,1e-3 (default: to 1e-6)")
    parser.add_argument(
        "--images", type=int, default=IMAGES,
        help=f"most images whose pairs are compared (default: {IMAGES})",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="seed of the selection and intervals")
    parser.add_argument("--out", metavar="FILE", help="write all metrics to this JSON file")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    values = parser.parse(arguments)

    features, identities, left_out = _labeled(values)
    fars = _fars(values.fars)
    result: dict[str, Any] = {
        "features": values.features, "images": len(identities),
        "identities": len(set(identities.tolist())), "left_out": left_out,
        "verification": _verification(features, identities, fars, values.images, values.seed),
        "identification": _identification(features, identities, values.seed),
    }  # fmt: skip
    if values.distractors:
        others = read_rows(values.distractors).features
        found = open_set(
            features, identities, others,
            fars=fars, seed=values.seed, progress=Progress("distractors"),
        )  # fmt: skip
        result["distractors"] = {"file": values.distractors, **found.summary()}
    if values.out:
        write_json(values.out, result)
    if values.json:
        print(json.dumps(result, indent=2))
    else:
        print(_tables(result))
        if values.out:
            print(f"\nAll metrics are in {values.out}.")
    return 0


def _labeled(values: argparse.Namespace) -> tuple[Any, Any, int]:
    """Unit features (n, d), identities (n,) and the number of images without a label."""
    found = read_rows(values.features, values.labels)
    labels = _identities(found.given or found.columns, values.labels or values.features)
    known = known_labels(labels)
    if not known.any():
        raise InputError(
            f"No image of {values.features} has a label (all are -1 or empty); give the identity "
            "of each image with --labels FILE."
        )
    kept = [label for label, is_known in zip(labels, known, strict=True) if is_known]
    spelled = one_spelling(sorted(set(kept)))
    index = {name: i for i, name in enumerate(ordered(set(spelled.values())))}
    identities = np.array([index[spelled[label]] for label in kept])
    return unit_rows(found.features[:])[known], identities, int((~known).sum())


def _identities(columns: dict[str, list[str]], file: str) -> list[str]:
    """The column of identities: by name, else the only one."""
    if not columns:
        raise InputError(f"{file} has no labels; give them with --labels FILE.")
    for name in IDENTITIES:
        for column, texts in columns.items():
            if plain(column) == name:
                return texts
    if len(columns) > 1:
        raise InputError(
            f"{file} has the columns {some(sorted(columns), 5)}; name that of identities identity."
        )
    return next(iter(columns.values()))


def _fars(text: str | None) -> list[float]:
    if text is None:
        return list(FARS)
    try:
        fars = [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"--fars is {text}, but must be numbers such as 1e-2,1e-3.") from None
    for far in fars:
        allowed(far, 1)
    return fars


def _verification(features: Any, identities: Any, fars: list[float], most: int, seed: int) -> Any:
    """Verification metrics of all pairs of images."""
    if most < 2:
        raise InputError(f"--images is {most}, but must be 2 or more.")
    if len(identities) > most:
        rows = np.sort(np.random.default_rng(seed).choice(len(identities), most, replace=False))
        features, identities = features[rows], identities[rows]
    left, right = np.triu_indices(len(identities), 1)
    similarity = (features @ features.T)[left, right]
    both = np.stack([identities[left], identities[right]], axis=1)
    metrics = verification_metrics(
        similarity, both[:, 0] == both[:, 1], identities=both, fars=fars, seed=seed
    )
    return {"images": len(identities), **metrics}


def _identification(features: Any, identities: Any, seed: int) -> Any:
    """Identification metrics with the first image of each identity as gallery."""
    first = np.unique(identities, return_index=True)[1]
    probes = np.delete(np.arange(len(identities)), first)
    gallery, others = ((features[i], identities[i]) for i in (first, probes))
    found = identify(*gallery, *others, fpirs=(), seed=seed)
    ranks, rates = cmc(found["ranks"])
    kept = {r: float(rates[np.searchsorted(ranks, r, "right") - 1]) for r in (1, 5, 10, 100)}
    return {"gallery": len(first), "rank_one": found["rank_one"], "cmc": kept}


def _tables(result: dict[str, Any]) -> str:
    v, i = result["verification"], result["identification"]
    parts = [
        f"{result['images']:,} images of {result['identities']:,} identities"
        + (f"; {result['left_out']:,} without a label left out" if result["left_out"] else ""),
        f"Verification: {v['n_genuine']:,} genuine and {v['n_impostor']:,} impostor pairs "
        f"({v['images']:,} images)",
        tar_table(v["tar_at_far"]),
        f"AUC {v['auc']:.4f}, equal error rate {v['eer']:.4f}",
        f"Identification: {i['rank_one']['n']:,} probes, a gallery of {i['gallery']:,} identities",
        table([{"rank": r, "identification rate": s}
               for r, s in i["cmc"].items() if r <= i["gallery"]]),
    ]  # fmt: skip
    if "distractors" in result:
        d = result["distractors"]
        parts += [
            f"Against {d['n_distractors']:,} distractors: {d['n_impostor']:,} impostor pairs, "
            f"{d['n_genuine']:,} genuine",
            tar_table(d["tar_at_far"]),
            distractor_table(d["rank_one"]),
        ]
    return "\n\n".join(parts)
