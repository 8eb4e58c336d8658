"""The paper's names of attributes, from those that data sets give them."""

from __future__ import annotations

from functools import cache

# Where CelebA's own name (or that of the illustrated faces) differs by more than underscores.
ALIASES = {
    "mouth slightly open": "Mouth Open",
    "wearing lipstick": "Wear Lipstick",
    "wearing earrings": "Wear Earrings",
    "wearing necklace": "Wear Necklace",
    "wearing necktie": "Wear Necktie",
    "wearing hat": "Wear Hat",
    "5 o clock shadow": "5 o'clock Shadow",
    "beard": "No Beard",  # the same question turned round: balanced accuracy is the same
}


def paper_attribute(name: str) -> str | None:
    """The row of Table 5 that is about attribute ``name``, or None.

    >>> paper_attribute("Wearing_Hat"), paper_attribute("Gray_Hair"), paper_attribute("Antlers")
    ('Wear Hat', 'Gray Hair', None)
    """
    plain = name.replace("_", " ").strip().lower()
    return ALIASES.get(plain) or _rows().get(plain)


@cache
def _rows() -> dict[str, str]:
    from clmle.paper.tables import table

    return {row.lower(): row for row in table(5)["attribute"].iloc[:-1]}
