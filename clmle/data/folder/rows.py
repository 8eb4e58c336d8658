"""What the layout of a folder or a table states of each image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from clmle.data.folder.scan import Skipped


@dataclass(frozen=True)
class Rows:
    """Columns with one value for each image.

    Parameters
    ----------
    files : list of str
        Paths relative to the folder.
    targets : dict of str to list of str
        Attributes and classes as text; empty where unknown.
    split : list of int, optional
        0 train, 1 validation, 2 test, -1 in none of them; None to draw all.
    groups : dict of str to list of str
        Rows with an equal value in one of these stay in the same split.
    default : str
        The target of a run that names none.
    recognized : str
        How the folder was read.
    warnings : list of str
        Sentences for the user.
    skipped : dict of str to list of str
        Files by the reason why they are left out.
    """

    files: list[str]
    targets: dict[str, list[str]]
    split: list[int] | None = None
    groups: dict[str, list[str]] = field(default_factory=dict)
    default: str = ""
    recognized: str = ""
    warnings: list[str] = field(default_factory=list)
    skipped: Skipped = field(default_factory=dict)

    def take(self, rows: Sequence[int]) -> Rows:
        """The rows with the given indices."""
        return replace(
            self,
            files=[self.files[i] for i in rows],
            targets={name: [values[i] for i in rows] for name, values in self.targets.items()},
            split=None if self.split is None else [self.split[i] for i in rows],
            groups={name: [values[i] for i in rows] for name, values in self.groups.items()},
        )


def merged(*all_skipped: Skipped) -> Skipped:
    """Files by reason, of several parts of the reading."""
    found: Skipped = {}
    for reason, files in chain.from_iterable(one.items() for one in all_skipped):
        found.setdefault(reason, []).extend(files)
    return found
