"""Classes and splits from the sub-folders of a folder; where two readings fit, an error."""

import re
from pathlib import Path
from unicodedata import normalize

from clmle.data.base import LEFT_OUT, SPLITS, TRAIN
from clmle.data.folder.rows import Rows
from clmle.data.folder.scan import Skipped, printable
from clmle.data.folder.split_names import FILLERS, split_of
from clmle.errors import InputError, some

# Folders that say nothing about the images in them.
GENERIC = {
    "images", "image", "imgs", "img", "jpegimages", "jpegs", "photos", "photographs", "pictures",
    "files", "data", "dataset", "all", "jpg", "jpeg", "png", "raw", "unknown",
}  # fmt: skip
NUMBERED = GENERIC | FILLERS | {"part", "batch", "chunk", "shard", "disk", "disc", "volume", "fold"}
MASKS = {
    "mask", "masks", "label", "labels", "gt", "groundtruth", "ground_truth", "annotation",
    "annotations", "segmentation", "segmentations", "annots", "targets",
}  # fmt: skip
UNLABELED = "in no folder of a class"

Parts = dict[str, list[str]]  # folder -> paths below it


def rows_of_folders(folder: Path, files: list[str]) -> Rows | None:
    """One row for each image in a folder of a class; None if the folders name no classes."""
    prefix, parts, loose = _unwrapped("", *_parts(files), generic=False)
    skipped: Skipped = {UNLABELED: loose} if loose else {}
    kinds = {name: split_of(name) for name in parts}
    if any(kind not in (None, LEFT_OUT) for kind in kinds.values()):
        return _splits(folder, prefix, parts, kinds, skipped)
    for name in [name for name in parts if name.lower() in ("unlabeled", "unlabelled")]:
        skipped[f"in {name}"] = [f"{prefix}{name}/{file}" for file in parts.pop(name)]
    if not parts:
        return None
    _refuse_masks(folder, parts)
    inner = {name: set(_parts(rest)[0]) for name, rest in parts.items()}
    direct = {name for name, rest in parts.items() if any("/" not in f for f in rest)}
    below = set[str]().union(*inner.values())
    if below and not direct and all(split_of(name) is not None for name in below):
        return _splits_in_classes(folder, prefix, parts, skipped)
    _refuse_half_splits(folder, parts, below)
    if _say_nothing(parts):
        named = not direct and any(name.lower() not in GENERIC for name in below)
        return _parts_with_classes(folder, prefix, parts, skipped) if named else None
    shared = {n for n in below if sum(n in names for names in inner.values()) > 1}
    if (
        len(shared) > 1
        and not direct
        and all(2 * len(names & shared) >= len(names) for names in inner.values())
    ):
        return _parts_with_classes(folder, prefix, parts, skipped)
    found = [
        (f"{prefix}{name}/{f}", label)
        for name, rest in parts.items() for label in [_class(name)] for f in rest
    ]  # fmt: skip
    recognized = f"a folder for each of {len(parts):,} classes"
    return Rows(
        [f for f, _ in found],
        {"label": [label for _, label in found]},
        default="label",
        recognized=recognized,
        warnings=_spellings(parts),
        skipped=skipped,
    )


def _parts(files: list[str]) -> tuple[Parts, list[str]]:
    """Files by their first folder, and those in none."""
    parts: Parts = {}
    loose = []
    for file in files:
        first, slash, rest = file.partition("/")
        if slash:
            parts.setdefault(first, []).append(rest)
        else:
            loose.append(file)
    return parts, loose


def _unwrapped(
    prefix: str, parts: Parts, loose: list[str], generic: bool, same: str = ""
) -> tuple[str, Parts, list[str]]:
    """Enter folders that are the only one and have sub-folders (or generic names) themselves."""
    while len(parts) == 1:
        (name,) = parts
        inner, direct = _parts(parts[name])
        enter = name.lower() in GENERIC or name.lower() == same if generic else not direct
        if not enter or (split_of(name) is not None and name.lower() != same):
            break
        prefix, parts = f"{prefix}{name}/", inner
        loose = loose + [f"{prefix}{f}" for f in direct]
    return prefix, parts, loose


def _say_nothing(parts: Parts) -> bool:
    """Whether the names of the folders are generic, such as images, or part_1 and part_2."""
    words = [re.findall(r"[^\W\d_]+", name.lower()) for name in parts]
    if len(parts) == 1:
        return all(word in GENERIC for word in words[0]) and bool(words[0])
    return words.count(words[0]) == len(words) and any(w in NUMBERED for w in words[0])


def _refuse_half_splits(folder: Path, parts: Parts, below: set[str]) -> None:
    """Raise where some sub-folders, or words in their names, are splits and others are not."""
    kinds = {split_of(name) for name in below} - {None, LEFT_OUT}
    words = {w: split_of(w) for name in parts for w in re.findall(r"[^\W\d_]+", name)}
    in_names = {kind for kind in words.values() if kind not in (None, LEFT_OUT)}
    if len(kinds) > 1 or (len(in_names) > 1 and TRAIN in in_names):
        named = [n for n in below if split_of(n) is not None] or [*parts]
        raise InputError(
            f"The folders {some(sorted(parts), 5)} of {folder} can be read as classes, or as "
            f"splits or versions of the data because of {some(sorted(named), 5)}; put the classes "
            "into folders named train, validation and test."
        )


def _refuse_masks(folder: Path, parts: Parts) -> None:
    masks = [name for name in parts if name.lower() in MASKS]
    if masks and len(parts) > 1 and all(n.lower() in MASKS | GENERIC for n in parts):
        raise InputError(
            f"{folder} has images next to {some(masks, 3)}, as for segmentation or detection, not "
            "classes; give a sub-folder for each class, or a table of labels."
        )


def _splits(
    folder: Path, prefix: str, parts: Parts, kinds: dict[str, int | None], skipped: Skipped
) -> Rows | None:
    """Splits with a folder for each class; images in no class are skipped."""
    inside = {}
    for n, rest in parts.items():
        classes, direct = _parts(rest)
        loose = [f"{prefix}{n}/{file}" for file in direct]
        inside[n] = _unwrapped(f"{prefix}{n}/", classes, loose, generic=True, same=n.lower())
    splits = sorted(n for n, kind in kinds.items() if kind is not None)
    others = sorted(n for n, kind in kinds.items() if kind is None)
    labeled = {c for n in splits for c in inside[n][1]}
    known = {kinds[n] for n in splits} - {LEFT_OUT}
    if others and (
        not labeled or len(known) == 1 or any(labeled & set(inside[n][1]) for n in others)
    ):
        raise InputError(
            f"The folders {some([*splits, *others], 8)} of {folder} can be read as classes, or as "
            f"splits because of {some(splits, 3)}; if they are splits, name all of them train, "
            f"validation or test; if they are classes, rename {splits[0]}, for example to "
            f"{splits[0]}_class."
        )
    if not labeled:
        return None
    train = {_class(c) for n in splits if kinds[n] == TRAIN for c in inside[n][1]}
    spelling = {c.casefold(): c for c in sorted(train)}
    found: list[tuple[str, str, int]] = []
    for n in splits:
        kind, (start, classes, loose) = int(kinds[n] or 0), inside[n]
        named = {c: _class(c) for c in classes}
        named = {c: v if v in train else spelling.get(v.casefold(), v) for c, v in named.items()}
        strange = kind == LEFT_OUT or (train and not train & set(named.values()))
        full = list(loose)
        if strange:
            full += [f"{start}{c}/{f}" for c, rest in classes.items() for f in rest]
        else:
            found += [(f"{start}{c}/{f}", named[c], kind) for c in classes for f in classes[c]]
        if full:
            skipped.setdefault(f"in {n}, but {UNLABELED}", []).extend(full)
    for n in others:
        skipped.setdefault(f"in {n}, which is not a split", []).extend(
            f"{prefix}{n}/{f}" for f in parts[n]
        )
    return Rows(
        [f for f, _, _ in found],
        {"label": [name for _, name, _ in found]},
        [split for _, _, split in found],
        default="label",
        recognized=f"splits {_stated(kinds)}, each with a folder for each class",
        warnings=_spellings({name: [] for _, name, _ in found}),
        skipped=skipped,
    )


def _splits_in_classes(folder: Path, prefix: str, parts: Parts, skipped: Skipped) -> Rows:
    """Classes with a folder for each split."""
    files, labels, split = [], [], []
    kinds: dict[str, int | None] = {}
    for name, rest in parts.items():
        for file in rest:
            part, _, below = file.partition("/")
            if "/" in below:
                raise InputError(
                    f"{folder} has splits in {some(sorted(parts), 5)}, and folders in these; if "
                    "they are classes, put the images into the splits; if they are versions of "
                    "the data, choose one of them as the data set."
                )
            kinds[part] = split_of(part)
            files.append(f"{prefix}{name}/{file}")
            labels.append(_class(name))
            split.append(LEFT_OUT if kinds[part] is None else int(kinds[part] or 0))
    recognized = f"classes, each with a folder for the splits {_stated(kinds)}"
    return Rows(
        files, {"label": labels}, split,
        default="label", recognized=recognized, warnings=_spellings(parts), skipped=skipped,
    )  # fmt: skip


def _parts_with_classes(folder: Path, prefix: str, parts: Parts, skipped: Skipped) -> Rows:
    """Folders with the same sub-folders, which are the classes; the outer are a target, too."""
    found = [(name, *f.partition("/")) for name, rest in parts.items() for f in rest]
    names = some(sorted(parts), 5)
    warning = (
        f"{names} of {folder} have the same sub-folders, which are read as the classes; the "
        "target folder has the outer names; if these are splits, name them train, validation and "
        "test; if they are persons or scenes, give a table with a column group."
    )
    return Rows(
        [f"{prefix}{name}/{inner}/{f}" for name, inner, _, f in found],
        {"label": [_class(inner) for _, inner, _, _ in found],
         "folder": [_class(name) for name, _, _, _ in found]},
        default="label",
        recognized=f"{names}, each with a folder for each class",
        warnings=[warning, *_spellings({inner: [] for _, inner, _, _ in found})],
        skipped=skipped,
    )  # fmt: skip


def _class(folder: str) -> str:
    """Name of a class; accents are composed, since systems differ in it."""
    return normalize("NFC", printable(folder))


def _stated(kinds: dict[str, int | None]) -> str:
    """Names of folders and the splits they were read as, such as dev (validation)."""
    words = []
    for name, kind in kinds.items():
        if kind is not None:
            split = "left out" if kind == LEFT_OUT else SPLITS[kind]
            words.append(name if name == split else f"{name} ({split})")
    return ", ".join(sorted(words))


def _spellings(classes: Parts) -> list[str]:
    """A warning about classes that differ in capitals alone."""
    seen: dict[str, str] = {}
    for name in sorted(map(_class, classes)):
        if seen.setdefault(name.casefold(), name) != name:
            first = seen[name.casefold()]
            return [
                f"Classes {first!r} and {name!r} differ only in capital letters; both are kept."
            ]
    return []
