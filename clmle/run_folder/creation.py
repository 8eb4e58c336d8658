"""A new run folder."""

import os
import time
from pathlib import Path
from typing import Any

from clmle.errors import InputError
from clmle.files import write_json
from clmle.run_folder.folder import RunFolder


def create_run(root: str | os.PathLike[str], config: dict[str, Any]) -> RunFolder:
    """Create a run folder, named by time, target and method, and write its config.

    Parameters
    ----------
    root : path
        As in :func:`list_runs`; created if it does not exist.
    config : dict
        Config of the run, as :meth:`clmle.Config.to_dict` returns it.

    Returns
    -------
    RunFolder

    Raises
    ------
    InputError
        If the folder cannot be made.

    Examples
    --------
    >>> import tempfile
    >>> from clmle import create_run, preset_config
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = create_run(folder, preset_config("quick", "softmax", "digits").to_dict())
    ...     run.name.endswith("-first-softmax")
    True
    """
    root = Path(root)
    target = config["data"]["attribute"] or "first"
    kept = [c if c.isascii() and c.isalnum() else "-" for c in f"{target}-{config['method']}"]
    stem = time.strftime("%Y%m%d-%H%M%S-", time.gmtime()) + "".join(kept)[:60]
    for number in range(1, 1000):
        folder = root / (stem if number == 1 else f"{stem}-{number}")
        try:
            folder.mkdir(parents=True, exist_ok=False)
        except FileExistsError:
            continue
        except OSError as error:
            raise InputError(
                f"No run folder can be made in {root} ({error.strerror}); check the path."
            ) from error
        write_json(folder / "config.json", config)
        return RunFolder(folder)
    raise InputError(f"{root} is full of runs of this second; wait a moment and try again.")
