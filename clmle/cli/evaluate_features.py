"""``clmle verify``: verification and identification figures of features with identity labels.

Every two images are compared (a seeded selection of images where there are more than --images);
the first image of every person is the gallery in which all others are looked up. With
--distractors every image is compared with each of those too, by the protocol of MegaFace.
"""

from __future__ import annotations

import argparse
from typing import Any

from clmle.cli.terminal import Progress, table

IMAGES = 6000


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="clmle verify", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("features", help="file as clmle embed writes, or a .npy of (n, d)")
    parser.add_argument("--labels", help="who is on each image: .npy, or text, one a line")
    parser.add_argument("--distractors", help="file with features of other people")
    parser.add_argument("--fars", help="false accept rates, such as 1e-2,1e-3 (default: to 1e-6)")
    parser.add_argument(
        "--images", type=int, default=IMAGES,
        help=f"compare at most this many images with each other (default: {IMAGES})",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="of the selection and intervals")
    parser.add_argument("--out", help="write all figures to this JSON file")
    parser.add_argument("--json", action="store_true", help="print JSON in place of tables")
    values = parser.parse_args(arguments)

    import json

    from clmle.cli.feature_file import read_features
    from clmle.files import write_json

    features, people, left_out = _labeled(values)
    fars = _fars(values.fars)
    result: dict[str, Any] = {
        "features": values.features, "images": len(people),
        "people": len(set(people.tolist())), "left_out": left_out,
        "verification": _verification(features, people, fars, values.images, values.seed),
        "identification": _identification(features, people, values.seed),
    }  # fmt: skip
    if values.distractors:
        from clmle.metrics.streaming import open_set

        others, _ = read_features(values.distractors, mapped=True)
        found = open_set(
            features, people, others, fars=fars, seed=values.seed, progress=Progress("distractors")
        )
        result["distractors"] = {"file": values.distractors, **found.summary()}
    if values.out:
        write_json(values.out, result)
    if values.json:
        print(json.dumps(result, indent=2))
    else:
        print(_shown(result))
        if values.out:
            print(f"\nAll figures are in {values.out}.")
    return 0


def _labeled(values: argparse.Namespace) -> tuple[Any, Any, int]:
    """Unit features (n, d), people (n,), and how many images nobody is named on."""
    import numpy as np

    from clmle.cli.feature_file import read_features, read_labels
    from clmle.errors import InputError
    from clmle.metrics.pair_features import unit_rows

    features, people = read_features(values.features)
    if values.labels:
        people = read_labels(values.labels)
    if people is None:
        raise InputError(
            f"{values.features} has no labels; say who is on each image with --labels FILE."
        )
    if np.shape(people) != np.shape(features)[:1]:
        raise InputError(
            f"There must be one label for each feature, but there are {np.size(people):,} labels "
            f"and features {np.shape(features)}."
        )
    known = np.ones(len(people), dtype=bool)
    if people.dtype.kind in "if":
        known = people >= 0  # -1, as clmle embed writes for images of unknown class, or NaN
    if not known.any():
        raise InputError(
            f"No image of {values.features} has a label (all are -1); say who is on each with "
            "--labels FILE."
        )
    units = unit_rows(features)[known]
    return units, np.unique(people[known], return_inverse=True)[1], int((~known).sum())


def _fars(text: str | None) -> list[float]:
    from clmle.errors import InputError
    from clmle.metrics.roc import FARS, allowed

    if text is None:
        return list(FARS)
    try:
        fars = [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"--fars is {text}, but must be numbers such as 1e-2,1e-3.") from None
    for far in fars:
        allowed(far, 1)
    return fars


def _verification(features: Any, people: Any, fars: list[float], most: int, seed: int) -> Any:
    """Figures of every two images."""
    import numpy as np

    from clmle.errors import InputError
    from clmle.metrics.verification import verification_metrics

    if most < 2:
        raise InputError(f"--images is {most}, but two images make a pair; give 2 or more.")
    if len(people) > most:
        rows = np.sort(np.random.default_rng(seed).choice(len(people), most, replace=False))
        features, people = features[rows], people[rows]
    left, right = np.triu_indices(len(people), 1)
    similarity = (features @ features.T)[left, right]
    both = np.stack([people[left], people[right]], axis=1)
    metrics = verification_metrics(
        similarity, both[:, 0] == both[:, 1], people=both, fars=fars, seed=seed
    )
    return {"images": len(people), **metrics}


def _identification(features: Any, people: Any, seed: int) -> Any:
    """The first image of each person as gallery, all others as probes."""
    import numpy as np

    from clmle.metrics.identification import cmc, identify

    first = np.unique(people, return_index=True)[1]
    probes = np.delete(np.arange(len(people)), first)
    found = identify(
        features[first], people[first], features[probes], people[probes], fpirs=(), seed=seed
    )
    ranks, shares = cmc(found["ranks"])
    kept = {r: float(shares[np.searchsorted(ranks, r, "right") - 1]) for r in (1, 5, 10, 100)}
    return {"gallery": len(first), "rank_one": found["rank_one"], "cmc": kept}


def _shown(result: dict[str, Any]) -> str:
    v, i = result["verification"], result["identification"]
    parts = [
        f"{result['images']:,} images of {result['people']:,} people"
        + (f"; {result['left_out']:,} without a label left out" if result["left_out"] else ""),
        f"Verification: {v['n_genuine']:,} pairs of one person, {v['n_impostor']:,} of two "
        f"({v['images']:,} images)",
        tar_table(v["tar_at_far"]),
        f"AUC {v['auc']:.4f}, equal error rate {v['eer']:.4f}",
        f"Identification: {i['rank_one']['n']:,} images in a gallery of {i['gallery']:,} people",
        table([{"found": f"among the first {r}" if r > 1 else "first", "share": s}
               for r, s in i["cmc"].items() if r <= i["gallery"]]),
    ]  # fmt: skip
    if "distractors" in result:
        d = result["distractors"]
        parts += [
            f"Against {d['n_distractors']:,} distractors: {d['n_impostor']:,} impostor pairs, "
            f"{d['n_genuine']:,} genuine",
            tar_table(d["tar_at_far"]),
            table([{"distractors": f"{row['distractors']:,}", "mate first": row["share"],
                    "95 % interval over people": ends(row["people_interval"])}
                   for row in d["rank_one"]]),
        ]  # fmt: skip
    return "\n\n".join(parts)


def tar_table(rows: list[dict[str, Any]]) -> str:
    shown = table([
        {"FAR": f"{row['far']:g}", "TAR": row["tar"], "threshold": row["threshold"],
         "95 % interval": ends(row["interval"]), "over people": ends(row["people_interval"])}
        for row in rows
    ])  # fmt: skip
    notes = [row["note"] for row in rows if row["note"]]
    return "\n".join([shown, *notes])


def ends(interval: list[float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"
