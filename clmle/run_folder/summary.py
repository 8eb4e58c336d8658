"""A run in one row of a table: what was trained, with which result, and what was noted."""

from typing import Any

from clmle.run_folder.folder import RunFolder

METRICS = ("balanced_accuracy", "accuracy", "average_precision", "roc_auc", "mcc")


def run_summary(run: RunFolder) -> dict[str, Any]:
    """Facts of a run in plain values; of a damaged run its name and state alone.

    Parameters
    ----------
    run : RunFolder

    Returns
    -------
    dict
        ``run`` (its name), ``title``, ``state``, ``method``, ``data``, ``target``, ``seed``,
        ``seconds``, test metrics (None until the run is done), ``tags``, ``note``.

    Examples
    --------
    >>> import tempfile
    >>> from clmle import create_run, preset_config
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = create_run(folder, preset_config("quick", "softmax", "digits").to_dict())
    ...     row = run_summary(run)
    >>> row["method"], row["data"], row["seed"], row["balanced_accuracy"]
    ('softmax', 'digits', 0, None)
    """
    if run.damage():
        names = ("title", "method", "data", "target", "seed", "seconds", *METRICS)
        found = {"run": run.name, "state": "damaged", **dict.fromkeys(names)}
        return {**found, "tags": [], "note": ""}
    config, status, result, words = run.config(), run.status(), run.result(), run.annotation()
    test = result["test"] if result else {}
    return {
        "run": run.name,
        "title": words.title,
        "state": status["state"],
        "method": config["method"],
        "data": config["data"]["dataset"],
        "target": config["data"]["attribute"],
        "seed": config["train"]["seed"],
        "seconds": status.get("seconds"),
        **{name: test.get(name) for name in METRICS},
        "tags": list(words.tags),
        "note": words.note,
    }
