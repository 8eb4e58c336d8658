"""What the reader of a run wrote about it: a name, tags, a note."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from clmle.errors import InputError, quoted
from clmle.files import write_json
from clmle.run_folder import kinds
from clmle.stored_json import read_checked

FILE = "annotation.json"
MOST_TITLE, MOST_TAG, MOST_NOTE = 80, 40, 2000  # characters
MOST_TAGS = 20


@dataclass(frozen=True)
class Annotation:
    """Name, tags and note of a run; none of them has an effect on training.

    Parameters
    ----------
    title : str
        Name shown in place of target and time; the folder keeps its own name.
    tags : tuple of str
        Words to find the run by, each once.
    note : str
        Free text.
    """

    title: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        title, note = " ".join(self.title.split()), self.note.strip()
        tags = dict.fromkeys(" ".join(tag.split()) for tag in self.tags)
        object.__setattr__(self, "title", title)
        object.__setattr__(self, "tags", tuple(tag for tag in tags if tag))
        object.__setattr__(self, "note", note)
        _check_length("name", title, MOST_TITLE)
        _check_length("note", note, MOST_NOTE)
        for tag in self.tags:
            _check_length("tag", tag, MOST_TAG)
            if "," in tag:
                raise InputError(f"The tag {quoted(tag)} has a comma; give two tags instead.")
        if len(self.tags) > MOST_TAGS:
            raise InputError(f"A run has at most {MOST_TAGS} tags; these are {len(self.tags)}.")


def read_annotation(folder: Path) -> Annotation:
    """The annotation of a run folder; an empty one where there is none."""
    file = folder / FILE
    if not file.exists():
        return Annotation()
    tree = read_checked(file, kinds.ANNOTATION)
    try:
        return Annotation(tree["title"], tuple(tree["tags"]), tree["note"])
    except InputError as error:
        raise InputError(f"{file} is damaged: {error}") from error


def write_annotation(
    folder: Path,
    title: str | None = None,
    tags: Iterable[str] | None = None,
    note: str | None = None,
) -> Annotation:
    """Store new values; those that are None stay as they are."""
    given: dict[str, Any] = {"title": title, "tags": tags, "note": note}
    values = asdict(read_annotation(folder)) | {k: v for k, v in given.items() if v is not None}
    found = Annotation(values["title"], tuple(values["tags"]), values["note"])
    if folder.is_dir():  # deleted by another session meanwhile: do not make it again
        write_json(folder / FILE, asdict(found))
    return found


def _check_length(what: str, text: str, most: int) -> None:
    if len(text) > most:
        raise InputError(
            f"The {what} has {len(text):,} characters; shorten it to {most:,} or fewer."
        )
