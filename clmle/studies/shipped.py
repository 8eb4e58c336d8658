"""Where the stored results of the studies are: in a copy of the repository, or in the wheel."""

from pathlib import Path

import clmle
from clmle.errors import InputError

PLACES = ("_app/docs/results", "../docs/results")  # next to the files of the package


def shipped_results() -> Path:
    """Folder of the stored results, a file NAME.jsonl for each study.

    Raises
    ------
    InputError
        If the package was installed without them.

    Examples
    --------
    >>> (shipped_results() / "components.jsonl").is_file()
    True
    """
    home = Path(str(clmle.__file__)).parent
    for place in PLACES:
        folder = (home / place).resolve()
        if (folder / "components.jsonl").is_file():
            return folder
    raise InputError(
        "This installation has no stored results; install from a copy of the repository."
    )
