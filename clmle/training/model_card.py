"""The model card of a run: data, counts, metrics with intervals, intended use and limits."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from clmle.data.registry import find_dataset
from clmle.metrics.intervals import wilson
from clmle.run_folder import RunFolder

FEW = 30  # test images of a class; the interval of a recall on fewer is wide
MOST_ROWS = 100  # classes or attributes with a row of their own


def card_of_run(run: RunFolder, facts: dict[str, Any]) -> str:
    """Return the model card of a run as Markdown, with the front matter of the Hugging Face Hub.

    ``facts`` are those stored with the weights.
    """
    config, result = run.config(), run.result()
    validation = facts.get("validation", {})
    metrics = (result or {}).get("test", validation)
    names = list((result or facts).get("class_names", ()))
    attributes = list((result or facts).get("attributes", ()))
    dataset = config["data"]["dataset"].rstrip("/").rsplit("/", 1)[-1]
    sections = [
        _front_matter(dataset, bool(attributes)),
        f"# {run.name}",
        _summary(config, dataset, names, attributes),
        "## Data",
        _data(config, dataset, facts.get("image_shape", ())),
        _counts(result, validation, names, attributes),
        "## Metrics",
        _metrics(metrics, "test" if result else "validation"),
        _recalls(metrics, names),
        "## Intended use",
        _intended_use(names, attributes),
        "## Limits",
        _bullets(_limits(run, metrics, names, attributes, done=result is not None)),
        "## How to load it",
        _loading(facts.get("image_shape", ())),
        "## Training",
        _training(config, facts, result),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _front_matter(dataset: str, multi: bool) -> str:
    named = f"datasets: [{json.dumps(dataset)}]"  # JSON is YAML, whatever the name holds
    lines = ["library_name: clmle", named, "metrics: [balanced_accuracy]"]
    tags = ["imbalanced-learning", *(["multi-label"] if multi else [])]
    return "\n".join(["---", *lines, f"tags: [{', '.join(tags)}]", "---"])


def _summary(
    config: dict[str, Any], dataset: str, names: Sequence[str], attributes: Sequence[str]
) -> str:
    what = f"{len(attributes)} binary attributes" if attributes else f"{len(names)} classes"
    return (
        f"A `{config['train'].get('backbone', 'small')}` network trained on {dataset} with the "
        f"method `{config['method']}`. It predicts {what}."
    )


def _data(config: dict[str, Any], dataset: str, shape: Sequence[int]) -> str:
    data = config["data"]
    info = find_dataset(data["dataset"])
    lines = [f"Data set: {dataset}."]
    if info is not None and info.recognize is None:
        lines = [f"Data set: {info.title}. {info.description} {info.credits}".strip()]
    if data["attribute"]:
        lines.append(f"Target: {data['attribute']}.")
    if data.get("imbalance", "none") != "none":
        lines.append(
            f"Training images were removed so that class sizes follow the profile "
            f"{data['imbalance']} with ratio {data.get('ratio', 1):g}."
        )
    if len(shape) == 3:
        lines.append(
            f"Images of {shape[0]} x {shape[1]} pixels, {'gray' if shape[2] == 1 else 'in colors'}."
        )
    elif shape:
        lines.append(f"Features of {shape[0]:,} dimensions.")
    return " ".join(lines)


def _counts(
    result: dict[str, Any] | None,
    validation: dict[str, Any],
    names: Sequence[str],
    attributes: Sequence[str],
) -> str:
    """Images of each class and split; of an attribute those that show it and all."""
    train = (result or {}).get("class_counts")
    splits = [validation, (result or {}).get("test", {})]
    if attributes:
        own = [split.get("attributes", {}) for split in splits]
        rows = [
            [name, *([f"{train[a][1]:,} of {sum(train[a]):,}"] if train else [""]),
             *(f"{_support(s[name])[1]:,} of {s[name]['n']:,}" if name in s else "" for s in own)]
            for a, name in enumerate(attributes)
        ]  # fmt: skip
        head = ["images with", "training", "validation", "test"]
    else:
        supports = [_support(split) for split in splits]
        rows = [
            [name, f"{train[c]:,}" if train else "",
             *(f"{support[c]:,}" if support else "" for support in supports)]
            for c, name in enumerate(names)
        ]  # fmt: skip
        head = ["images of", "training", "validation", "test"]
    return _table(head, rows)


def _support(metrics: dict[str, Any]) -> list[int]:
    if "support" in metrics:
        return list(metrics["support"])
    return [sum(row) for row in metrics.get("confusion") or ()]


def _metrics(metrics: dict[str, Any], split: str) -> str:
    if not metrics:
        return "None was computed yet."
    rows = []
    for name in ("balanced_accuracy", "accuracy", "average_precision", "roc_auc", "mcc"):
        if metrics.get(name) is not None:
            ends = {"balanced_accuracy": metrics.get("interval")}.get(name)
            if name == "accuracy" and "attributes" not in metrics and metrics.get("n"):
                ends = wilson(round(metrics[name] * metrics["n"]), metrics["n"])
            rows.append([name.replace("_", " "), f"{metrics[name]:.3f}", _interval(ends)])
    table = _table(["metric", f"{split} images", "95 % interval"], rows)
    return f"On {metrics.get('n', 0):,} {split} images that were not trained on:\n\n{table}"


def _recalls(metrics: dict[str, Any], names: Sequence[str]) -> str:
    """Recall of each class with Wilson's interval; balanced accuracy of each attribute."""
    if "attributes" in metrics:
        rows = [
            [name, f"{own['balanced_accuracy']:.3f}", _interval(own.get("interval"))]
            for name, own in metrics["attributes"].items()
        ]
        return _table(["attribute", "balanced accuracy", "95 % interval"], rows)
    rows = []
    found = zip(names, metrics.get("recall") or (), _support(metrics), strict=False)
    for name, recall, n in found:
        if recall is not None and n:
            rows.append([name, f"{recall:.3f}", _interval(wilson(round(recall * n), n))])
    return _table(["recall of", "value", "95 % interval"], rows)


def _interval(ends: Sequence[float] | None) -> str:
    return f"{ends[0]:.3f} to {ends[1]:.3f}" if ends else ""


def _intended_use(names: Sequence[str], attributes: Sequence[str]) -> str:
    listed = attributes or names
    shown = ", ".join(listed[:20]) + (", ..." if len(listed) > 20 else "")
    what = "whether an image shows" if attributes else "which of these classes an image is of:"
    return (
        f"To predict {what} {shown}, for images like those of the data above: research, teaching "
        "and comparison of methods. Any other use needs an evaluation on its own images first."
    )


def _limits(
    run: RunFolder,
    metrics: dict[str, Any],
    names: Sequence[str],
    attributes: Sequence[str],
    *,
    done: bool,
) -> Iterable[str]:
    if not done:
        yield "The run is not finished: there are no test metrics, and a later round may be better."
    if not attributes:
        yield "Every image gets one of the classes above, also an image of something else."
        counted = list(zip(names, _support(metrics), strict=False))
        few = [f"{name} ({n})" for name, n in counted if n < FEW]
        if few:
            more = f" and {len(few) - 10} more" if len(few) > 10 else ""
            yield (
                f"Classes with fewer than {FEW} images in the evaluation have wide intervals: "
                f"{', '.join(few[:10])}{more}."
            )
    yield (
        "Probabilities are fitted on the validation images (Platt scaling); they hold for images "
        "with the same class proportions."
    )
    yield "Groups of people or sources of images were not evaluated apart unless listed above."
    yield from run.warnings()


def _loading(shape: Sequence[int]) -> str:
    data = "photos/" if len(shape) != 1 else "features.parquet"
    return "\n".join([
        "```python", "from clmle import Model, predict", "",
        'model = Model.from_pretrained("FOLDER")  # this folder; nothing is unpickled',
        f'print(predict(model, "{data}"))', "```", "",
        "```sh", f"clmle predict FOLDER {data} --out predictions.csv", "```",
    ])  # fmt: skip


def _training(config: dict[str, Any], facts: dict[str, Any], result: dict[str, Any] | None) -> str:
    t = config["train"]
    rule = facts.get("chosen", {}).get("rule")
    lines = [
        f"Method `{config['method']}`, {t.get('iterations')} steps of {t.get('batch_size')} images "
        f"in {t.get('rounds')} rounds, of which round {facts.get('round')} was the best on "
        f"validation images; seed {t.get('seed')}.",
        f"Classifier: {rule}." if rule else "",
        f"Calibration of class offsets: {t.get('calibration', 'none')}.",
    ]
    if result and "seconds" in result and (device := result.get("machine", {}).get("device")):
        lines.append(f"Trained in {result['seconds']:.0f} s on {device}.")
    lines.append("`config.json` holds all options.")
    return " ".join(filter(None, lines))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    kept = [[cell.replace("|", "\\|") for cell in row] for row in rows[:MOST_ROWS]]
    lines = [head, ["---"] * len(head), *kept]
    more = f"\n\n{len(rows) - MOST_ROWS:,} more are not listed." if len(rows) > MOST_ROWS else ""
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + more


def _bullets(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)
