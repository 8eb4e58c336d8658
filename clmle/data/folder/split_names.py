"""Names of splits as people write them: train, Training_Set, val2017, dev, seg_test, ..."""

import re
from functools import lru_cache

from clmle.data.base import LEFT_OUT, TEST, TRAIN, VALIDATION

WORDS = {
    "train": TRAIN, "training": TRAIN, "trn": TRAIN, "trainval": TRAIN, "trainvalid": TRAIN,
    "val": VALIDATION, "valid": VALIDATION, "validation": VALIDATION, "validate": VALIDATION,
    "dev": VALIDATION, "devel": VALIDATION, "development": VALIDATION, "eval": VALIDATION,
    "evaluation": VALIDATION,
    "test": TEST, "testing": TEST, "tst": TEST, "holdout": TEST, "heldout": TEST,
    "unlabeled": LEFT_OUT, "unlabelled": LEFT_OUT, "pred": LEFT_OUT, "prediction": LEFT_OUT,
    "predict": LEFT_OUT, "submission": LEFT_OUT,
}  # fmt: skip
# Words that add nothing: training_set, train-images, seg_train, X_test, data_test_small.
FILLERS = {
    "set", "sets", "data", "dataset", "split", "splits", "part", "subset", "images", "image",
    "imgs", "img", "photos", "pictures", "files", "samples", "examples", "folder", "dir", "seg",
    "x", "final", "full", "small", "mini", "raw", "cropped", "resized", "aligned", "faces", "jpg",
    "jpeg", "png", "stage", "public", "private", "hold", "held", "out", "the", "my", "new", "v",
}  # fmt: skip
# FER2013 names its validation and test images so.
WHOLE = {"publictest": VALIDATION, "privatetest": TEST, "holdout": TEST, "heldout": TEST}


@lru_cache(maxsize=10_000)
def split_of(name: str) -> int | None:
    """The split that a folder or a cell names; None if it does not look like a split."""
    if re.sub(r"[\W_]+", "", name.lower()) in WHOLE:
        return WHOLE[re.sub(r"[\W_]+", "", name.lower())]
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+|\d+", name)
    kinds = set()
    for word in map(str.lower, words):
        if word.isdigit() or word in FILLERS:
            continue
        kind = _kind(word)
        if kind is None:
            return None
        kinds.add(kind)
    if kinds == {TRAIN, VALIDATION}:
        return TRAIN
    return kinds.pop() if len(kinds) == 1 else None


def _kind(word: str) -> int | None:
    """The split of a single word, also of one such as trainset or testdata."""
    if word in WORDS:
        return WORDS[word]
    for filler in ("sets", "set", "data", "dataset", "images", "imgs", "img", "split", "dir"):
        for rest in (word.removesuffix(filler), word.removeprefix(filler)):
            if rest != word and rest in WORDS:
                return WORDS[rest]
    return None
