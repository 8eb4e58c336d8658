"""The published tables by number or name."""

from importlib.resources import files
from typing import Any

from clmle.errors import InputError

NAMES = {
    2: "table2_lfw_ytf",
    3: "table3_megaface1",
    4: "table4_megaface2",
    5: "table5_celeba_attributes",
    6: "table6_celeba_average",
    7: "table7_ablation",
}
CAPTIONS = {
    2: "Accuracy of face verification on LFW and YTF",
    3: "Identification and verification on MegaFace challenge 1",
    4: "Identification and verification on MegaFace challenge 2",
    5: "Balanced accuracy on each of CelebA's 40 attributes",
    6: "Mean balanced accuracy over CelebA's attributes",
    7: "Ablation on LFW and CelebA",
}


def table_names() -> tuple[str, ...]:
    """Names that :func:`table` accepts in addition to the numbers 2 to 7."""
    return tuple(NAMES.values())


def table(which: int | str) -> Any:
    """Read a published table."""
    import pandas

    text = str(which)
    name = NAMES.get(int(text)) if text.isdecimal() else text
    if name not in NAMES.values():
        raise InputError(
            f"There is no published table {which!r}; choose a number from 2 to 7 or one of: "
            f"{', '.join(table_names())}."
        )
    with (files("clmle.paper") / "csv" / f"{name}.csv").open(encoding="utf-8") as file:
        return pandas.read_csv(file)
