"""Columns of Arrow tables: images, classes with names, attributes, and text."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from clmle.data.assemble import Columns
from clmle.data.base import UNKNOWN
from clmle.data.folder.columns import FILES, plain, roles_of
from clmle.data.pixels import shape_of
from clmle.errors import InputError, shown, some
from clmle.files import from_json

IMAGE_NAMES = ("image", "img", "images", "picture", "photo", "jpg", "png", "pixel_values")
# Names of two classes that say whether something is there.
BINARY = ({"0", "1"}, {"false", "true"}, {"no", "yes"}, {"-1", "1"}, {"absent", "present"})


def features_of(schema: Any) -> dict[str, Any]:
    """Hugging Face's description of the columns, as stored in a schema; empty without one."""
    try:
        stored = from_json((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError):
        return {}
    return stored if isinstance(stored, dict) else {}


def image_columns(schema: Any, features: Mapping[str, Any]) -> list[str]:
    """Columns that hold encoded files by their type: those described as images, or all."""
    encoded = [f.name for f in schema if _is_encoded(f.type)]
    return [name for name in encoded if _kind(features.get(name)) == "Image"] or encoded


def image_column(schema: Any, features: Mapping[str, Any], what: str) -> str:
    """The only column of images, or the one with a usual name."""
    found = image_columns(schema, features)
    if not found:
        raise InputError(f"{what} has no column of images; its columns are: {some(schema.names)}.")
    usual = [name for name in IMAGE_NAMES if name in found]
    if len(found) > 1 and not usual:
        raise InputError(
            f"{what} has several columns of images ({some(found)}); rename the one to read to "
            "image."
        )
    return usual[0] if usual else found[0]


def _kind(feature: Any) -> str:
    return str(feature.get("_type", "")) if isinstance(feature, dict) else ""


def _is_encoded(kind: Any) -> bool:
    from pyarrow import types

    if types.is_struct(kind):
        names = [kind.field(i).name for i in range(kind.num_fields)]
        return "bytes" in names and _is_encoded(kind.field("bytes").type)
    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def holds_images(column: Any) -> bool:
    """Whether the first value of a column that is not missing can be opened as an image."""
    for value in column.to_pylist():
        data = value.get("bytes") if isinstance(value, dict) else value
        if data is not None or isinstance(value, dict):
            return data is None or shape_of(io.BytesIO(data)) is not None
    return False


def columns_of(table: Any, features: Mapping[str, Any]) -> Columns:
    """The columns of a table without its images."""
    from pyarrow import types

    found = Columns()
    left_out = []
    for field in table.schema:
        name, column, kind = field.name, table.column(field.name), field.type
        names = features.get(name, {}).get("names") if _kind(features.get(name)) else None
        if isinstance(names, list) and types.is_integer(kind):
            _add_classes(found, name, _integers(name, column), tuple(map(str, names)))
        elif types.is_boolean(kind):
            found.attributes[name] = _integers(name, column).astype(np.int8)
        elif types.is_integer(kind) and _is_attribute(name, column):
            values = _integers(name, column)
            known = ~np.asarray(column.is_null())
            found.attributes[name] = np.where(known, values == 1, UNKNOWN).astype(np.int8)
        elif types.is_dictionary(kind):
            found.texts[name] = _texts(column.cast(kind.value_type))
        elif types.is_integer(kind) or types.is_floating(kind) or _is_text(kind):
            found.texts[name] = _texts(column)
        else:
            left_out.append(name)
    if left_out:
        found.warnings.append(f"Columns of a kind that is not read: {some(left_out, 8)}.")
    file = next((n for n in found.texts if plain(n) in FILES and _unique(found.texts[n])), None)
    if file is not None:
        found.files = found.texts.pop(file)
    return found


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind) or kind == "string_view")


def _integers(name: str, column: Any) -> np.ndarray:
    """Whole numbers or booleans (n,) int64; missing ones are UNKNOWN, also of unsigned types."""
    try:
        values: np.ndarray = column.cast("int64").fill_null(UNKNOWN).to_numpy()
    except ValueError as error:
        raise InputError(f"Column {name} has a number of 2^63 or more; write it again.") from error
    return values


def _texts(column: Any) -> list[str]:
    return ["" if value is None else str(value) for value in column.to_pylist()]


def _unique(values: list[str]) -> bool:
    return len(set(values)) == len(values)


def _add_classes(found: Columns, name: str, codes: np.ndarray, names: tuple[str, ...]) -> None:
    """A column of class numbers with their names; two classes of no and yes are an attribute."""
    if len(codes) and (codes.max() >= len(names) or codes.min() < UNKNOWN):
        raise InputError(
            f"Column {name} has class numbers from {codes.min()} to {codes.max()}, but names for 0 "
            f"to {len(names) - 1}; write the data set again."
        )
    twice = {n for n in names if names.count(n) > 1} if len(set(names)) < len(names) else ()
    if twice:
        raise InputError(
            f"Column {name} has two classes named {shown(min(twice))!r}; write the data set again."
        )
    if {n.lower() for n in names} in BINARY:
        positive = next(
            i for i, n in enumerate(names) if n.lower() in ("1", "true", "yes", "present")
        )
        found.attributes[name] = np.where(codes < 0, UNKNOWN, codes == positive).astype(np.int8)
        return
    found.classes[name] = (codes, names)
    found.texts[name] = ["" if c < 0 else names[c] for c in codes.tolist()]


def _is_attribute(name: str, column: Any) -> bool:
    """Whether a column of integers has two values, 1 and 0 or 1 and -1, and is a target."""
    values = set(column.unique().to_pylist()) - {None}
    if not (values and (values <= {0, 1} or values <= {-1, 1})) or plain(name) == "label":
        return False
    # The same rule as for columns of text, asked with few rows.
    return name in roles_of({name: ["0", "1"]}).targets
