"""The role of each column of a table: file, split, group, target, or none."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from clmle.data.base import LEFT_OUT, SPLITS, TEST, TRAIN, VALIDATION
from clmle.data.folder.split_names import split_of
from clmle.data.missing import is_missing
from clmle.errors import InputError, shown, some

# Names are compared without capitals and punctuation: "Patient ID" is patientid.
FILES = {
    "file", "filename", "filepath", "image", "imageid", "imagename", "imagepath", "imagefile",
    "imagefilename", "imageindex", "img", "imgid", "imgname", "imgpath", "imgfile", "path",
    "relativepath", "name", "photo", "photoid", "photograph", "picture", "uri", "url",
}  # fmt: skip
SPLIT = {
    "split", "splits", "set", "subset", "partition", "datasplit", "datasetsplit", "usage", "phase",
    "traintest", "trainvaltest", "evaluationstatus", "evalpartition", "dataset", "fold",
}  # fmt: skip
SURE_SPLIT = {"split", "splits", "datasplit", "datasetsplit", "partition", "evalpartition"}
SPLIT_ENDING = re.compile(r"(split|folds?|partition|subset)\d*$")
GROUP = {
    "identity", "group", "subject", "person", "patient", "participant", "individual", "lesion",
    "people", "celebrity", "celeb", "subj", "pat", "animal", "volunteer", "donor", "client",
}  # fmt: skip
LIKELY_GROUP = {
    "session", "sequence", "seq", "video", "clip", "case", "study", "series", "scene", "site",
    "location", "camera", "device", "author", "photographer", "source", "user", "owner", "family",
    "burst", "slide", "specimen", "visit", "place", "hospital", "actor", "id", "who", "speaker",
    "mrn", "pid", "sid", "uid", "household",
}  # fmt: skip
TARGET = (
    "label", "labels", "class", "classes", "target", "targets", "category", "classname",
    "classlabel", "labelname", "y", "diagnosis", "dx",
)  # fmt: skip
INDEX = {"index", "idx", "id", "row", "rowid", "no", "nr", "number", "key", "unnamed0", "level0"}
ENDINGS = re.compile(r"(ids?|no|nr|num|number|names?|idx|index|code|key|label)$")
# In a column that is named as a split; the numbers are those of CelebA.
SHORT = {"0": TRAIN, "1": VALIDATION, "2": TEST, "tr": TRAIN, "va": VALIDATION, "te": TEST}
YES, NO = {"1", "1.0", "true", "yes"}, {"0", "0.0", "false", "no"}


@dataclass(frozen=True)
class Roles:
    """Columns by role; ``split`` has the split of each row, or is None."""

    targets: list[str]
    groups: list[str]
    default: str
    split: list[int] | None = None
    split_columns: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def plain(name: str) -> str:
    """A column name without capitals and punctuation."""
    return re.sub(r"[\W_]+", "", name.casefold())


def roles_of(columns: dict[str, list[str]]) -> Roles:
    """Roles of all columns but that of the files."""
    names = {column: plain(column) for column in columns}
    warnings: list[str] = []
    split_columns, split = _split(columns, names, warnings)
    groups = [c for c, n in names.items() if c not in split_columns and _is_group(n, GROUP)]
    for column in list(groups):
        if len(set(columns[column])) < 2:
            groups.remove(column)
    left = [c for c in columns if c not in split_columns and not _is_group(names[c], GROUP)]
    targets, ids = [], []
    for column in left:
        kind = _no_target(names[column], columns[column])
        if kind == "":
            targets.append(column)
        elif kind != "index":
            ids.append(column)
    likely = [c for c in left if _is_group(names[c], LIKELY_GROUP) and _repeats(columns[c])]
    minor = {*likely, *(c for c in left if _is_split(names[c]))}  # no default target
    if likely and not groups:
        warnings.append(
            f"Rows with the same {some(likely, 3)} may show the same subject, but can be in "
            "different splits; rename the column to group to keep them together."
        )
    if ids:
        warnings.append(f"Not a target, since most rows have a value of their own: {some(ids, 5)}.")
    return Roles(targets, groups, _default(targets, minor, names), split, split_columns, warnings)


def _is_group(name: str, words: set[str]) -> bool:
    return name in words or ENDINGS.sub("", name) in words


def _is_split(name: str) -> bool:
    return name in SPLIT or SPLIT_ENDING.search(name) is not None


def _repeats(values: list[str]) -> bool:
    return 1 < len(set(values)) < len(values)


def _default(targets: list[str], minor: set[str], names: dict[str, str]) -> str:
    """The target of a run that names none; empty for the first."""
    for word in TARGET:
        for column in targets:
            if names[column] == word:
                return column
    first = [c for c in targets if c not in minor]
    return first[0] if first and len(first) < len(targets) else ""


def _no_target(name: str, values: list[str]) -> str:
    """Why a column is no target: an index, or almost as many values as rows; else empty."""
    n, found = len(values), set(values)
    if n >= 3 and len(found) == n:
        numbers = all(v.isdecimal() and v.isascii() and len(v) < 10 for v in found)
        counts = numbers and max(map(int, found)) - min(map(int, found)) == n - 1
        unnamed = name in INDEX or re.fullmatch(r"(unnamed|column)\d+", name)
        return "index" if counts or unnamed else "unique"
    return "unique" if len(found) > max(20, n / 2) else ""


def _split(
    columns: dict[str, list[str]], names: dict[str, str], warnings: list[str]
) -> tuple[list[str], list[int] | None]:
    """The columns that give the split, and the split of each row."""
    candidates = {c: _parsed(columns[c], _is_split(names[c])) for c in columns}
    named = [c for c, n in names.items() if _is_split(n) and candidates[c] is not None]
    unnamed = [
        c for c, found in candidates.items()
        if not _is_split(names[c]) and found is not None and len(set(found) - {LEFT_OUT}) > 1
    ]  # fmt: skip
    named.sort(key=lambda c: names[c] not in SURE_SPLIT)
    chosen = (named or unnamed)[:1]
    for column, name in names.items():
        if name in SURE_SPLIT and column not in named and not chosen:
            unknown = min(v for v in columns[column] if split_of(v) is None)
            raise InputError(
                f"{column} {shown(unknown)!r} is not known; use one of: {', '.join(SPLITS)}."
            )
        if _is_split(name) and not chosen:
            warnings.append(
                f"Column {column} may be a split, but is not used: its values are not train, "
                "validation and test."
            )
    others = [c for c in (*named, *unnamed) if c not in chosen]
    if others:
        warnings.append(f"The split is that of column {chosen[0]}; not used: {some(others, 3)}.")
    if chosen:
        found = candidates[chosen[0]] or []
        if LEFT_OUT in found:
            warnings.append(
                f"{found.count(LEFT_OUT):,} of {len(found):,} rows have no split in column "
                f"{chosen[0]} and are in none."
            )
        return [*chosen, *others], found
    flags = {c: kind for c, n in names.items() if (kind := _flag(n, columns[c])) is not None}
    return (list(flags), _from_flags(columns, flags)) if flags else ([], None)


def _parsed(values: list[str], named: bool) -> list[int] | None:
    """The split of each row, if all values that are not empty name one."""
    found: dict[str, int] = {}
    for value in set(values):
        kind = LEFT_OUT if is_missing(value) else split_of(value)
        if kind is None and named:
            kind = SHORT.get(value.lower().removesuffix(".0"))
        if kind is None:
            return None
        found[value] = kind
    if set(found.values()) <= {LEFT_OUT}:
        return None
    whole = {re.sub(r"\W|_", "", v.lower()) for v in found}
    if "publictest" in whole and "privatetest" not in whole:
        found = {v: TEST if k == VALIDATION else k for v, k in found.items()}
    return [found[value] for value in values]


def _flag(name: str, values: Iterable[str]) -> int | None:
    """The split of a column of 0 and 1 such as is_train or test."""
    binary = {v.lower() for v in values if not is_missing(v)}
    word = re.sub(r"^is(a|in)?(?=\w)|(image|flag|set)$", "", name)
    return split_of(word) if binary and binary <= YES | NO else None


def _from_flags(columns: dict[str, list[str]], flags: dict[str, int]) -> list[int]:
    """The split of each row from one column for each split, or from a single one."""
    split = []
    other = TEST if TRAIN in flags.values() else TRAIN
    for row in zip(*(columns[c] for c in flags), strict=True):
        kinds = [k for v, k in zip(row, flags.values(), strict=True) if v.lower() in YES]
        if len(kinds) > 1:
            raise InputError(
                f"Columns {some(flags)} put a row into several splits; leave a single 1 in a row."
            )
        split.append(kinds[0] if kinds else other if len(flags) == 1 else LEFT_OUT)
    return split
