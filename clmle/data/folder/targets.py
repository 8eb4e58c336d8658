"""Binary attributes and classes from columns of text."""

import re
from collections import Counter
from decimal import Decimal

import numpy as np

from clmle.data.base import UNKNOWN
from clmle.data.folder.columns import plain
from clmle.data.missing import CODES, UNSURE, is_missing
from clmle.errors import some

# A column with the words of one pair is a binary attribute; the first word is the positive one.
PAIRS = (("1", "0"), ("1", "-1"), ("true", "false"), ("yes", "no"), ("t", "f"), ("y", "n"))
OPPOSITES = (*PAIRS, ("present", "absent"), ("positive", "negative"), ("pos", "neg"), ("on", "off"))
NUMBER = re.compile(r"[+-]?\d{1,18}(\.\d{0,18})?(e[+-]?\d{1,2})?", re.ASCII | re.IGNORECASE)
SCALE = 20  # more classes than this with numbers as names are reported


class Targets:
    """Attributes, labels and class names of a table, with warnings about their values."""

    def __init__(self, columns: dict[str, list[str]]) -> None:
        self.attributes: dict[str, np.ndarray] = {}
        self.labels: dict[str, np.ndarray] = {}
        self.class_names: dict[str, tuple[str, ...]] = {}
        self.warnings: list[str] = []
        texts = {name: self._texts(name, values) for name, values in columns.items()}
        # CheXpert's convention for a table: 1 present, 0 absent, -1 uncertain, empty unknown.
        uncertain = any({"1", "0", "-1", ""} == set(values) for values in texts.values())
        for name, values in texts.items():
            self._add(name, values, uncertain)

    def _texts(self, name: str, values: list[str]) -> list[str]:
        """Values with one spelling for each number, and "" where they are missing."""
        found = Counter(values)
        missing = {v for v in found if is_missing(v)}
        if "-" in missing and "+" in found:
            missing.remove("-")
        words = sorted(missing - {""})
        if words:
            self.warnings.append(
                f"Column {name}: {sum(found[w] for w in words):,} cells with {some(words)} are "
                "read as unknown."
            )
        spelled = one_spelling([v for v in found if v not in missing])
        return [spelled.get(value, "") for value in values]

    def _add(self, name: str, values: list[str], uncertain: bool) -> None:
        known = set(values) - {""}
        if not known:
            self.warnings.append(f"Column {name} has no known value and is not a target.")
            return
        values = self._unsure(name, values)
        known = set(values) - {""}
        small = {v.lower() for v in known}
        three = known == {"-1", "0", "1"}
        unsure = "-1" in known <= {"-1", "0", "1"} and ("0" in known or "" in values)
        if uncertain and unsure and plain(name) != "label":
            self.warnings.append(
                f"Column {name}: {values.count('-1'):,} cells with -1 are read as uncertain, "
                "neither present (1) nor absent (0): unknown."
            )
            values = ["" if v == "-1" else v for v in values]
            known = small = known - {"-1"}
        pair = next((p for p in PAIRS if small <= set(p)), None)
        if pair and known and plain(name) != "label":
            self.attributes[name] = np.array(
                [UNKNOWN if not v else int(v.lower() == pair[0]) for v in values], dtype=np.int8
            )
            return
        if three:
            self.warnings.append(
                f"Column {name} has the values -1, 0 and 1, which are read as three classes; leave "
                "cells empty where the value is unknown."
            )
        elif "-1" in known and len(known) > 3 and all(v.isdecimal() for v in known - {"-1"}):
            self.warnings.append(
                f"Column {name}: {values.count('-1'):,} cells with -1 next to classes from "
                f"{min(map(int, known - {'-1'}))} are read as unknown."
            )
            known = known - {"-1"}
        self._spellings(name, known)
        several = sorted(v for v in known if set(v.split("|")) & known - {v})
        if several:
            self.warnings.append(
                f"Column {name} has several words in a cell, such as {several[0]!r}, which are "
                "a class of their own; write a column of 0 and 1 for each word."
            )
        found = ordered(known)
        if _measured(found):
            self.warnings.append(
                f"Column {name}: {len(found)} numbers from {found[0]} to {found[-1]} are read as "
                "as many classes; if it is a measurement, write the name of a range in each cell."
            )
        index = {v: i for i, v in enumerate(found)}
        self.labels[name] = np.array([index.get(v, UNKNOWN) for v in values], dtype=np.int64)
        self.class_names[name] = tuple(found)

    def _unsure(self, name: str, values: list[str]) -> list[str]:
        """Values without words for uncertain ones next to two opposites; others are reported."""
        found = Counter(values)
        known = set(found) - {""}
        words = {v for v in known if v.lower() in UNSURE}
        opposite = any({v.lower() for v in known - words} == set(pair) for pair in OPPOSITES)
        named = words if opposite else {v for v in words if len(v) > 1} | _codes(known)
        if not named or named == known:
            return values
        many = f"Column {name}: {sum(found[w] for w in named):,} cells with {some(sorted(named))}"
        if opposite:
            self.warnings.append(f"{many} are read as unknown.")
            return ["" if v in words else v for v in values]
        self.warnings.append(
            f"{many} are a class of their own; leave them empty if the value is not known."
        )
        return values

    def _spellings(self, name: str, known: set[str]) -> None:
        folded: dict[str, str] = {}
        for value in sorted(known):
            first = folded.setdefault(" ".join(value.casefold().split()), value)
            if first != value:
                self.warnings.append(
                    f"Column {name}: {first!r} and {value!r} differ only in capitals or spaces, "
                    "but are two classes; write them alike if they are one."
                )
                return


def _measured(found: list[str]) -> bool:
    """Whether classes are likely numbers of a scale: many, and not counted from 0 or 1."""
    if len(found) <= SCALE or not all(map(NUMBER.fullmatch, found)):
        return False
    low, high = Decimal(found[0]), Decimal(found[-1])
    whole = all(v.isdecimal() for v in found)
    return not (whole and low in (0, 1) and high < 2 * len(found))


def _codes(known: set[str]) -> set[str]:
    """Numbers for missing values, next to words or far from all other numbers."""
    others = {v for v in known if v not in CODES}
    numbers = all(map(NUMBER.fullmatch, others))
    most = max((abs(Decimal(v)) for v in others), default=Decimal(0)) if numbers else Decimal(0)
    return {v for v in known & CODES if abs(Decimal(v)) > 2 * most}


def ordered(names: set[str]) -> list[str]:
    """Class names in order: numbers by value, words by letters."""
    if all(map(NUMBER.fullmatch, names)):
        return sorted(names, key=lambda name: (Decimal(name), name))
    return sorted(names)


def one_spelling(values: list[str]) -> dict[str, str]:
    """Each value and its spelling: 1, 1.0 and 01 are one number, if all are numbers."""
    # 007 and 042 are codes; 01 next to 1 is a number.
    codes = len({len(v) for v in values}) == 1 and any(map(re.compile(r"0\d").match, values))
    if codes or not all(map(NUMBER.fullmatch, values)):
        return {value: value for value in values}
    return {value: _number(value) for value in values}


def _number(text: str) -> str:
    value = Decimal(text)
    return f"{value.normalize():f}" if value else "0"
