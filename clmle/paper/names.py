"""Names of attributes in the paper, for those of the data sets."""

from functools import cache

# Names in CelebA (or of the illustrated faces) that differ by more than underscores.
ALIASES = {
    "mouth slightly open": "Mouth Open",
    "wearing lipstick": "Wear Lipstick",
    "wearing earrings": "Wear Earrings",
    "wearing necklace": "Wear Necklace",
    "wearing necktie": "Wear Necktie",
    "wearing hat": "Wear Hat",
    "5 o clock shadow": "5 o'clock Shadow",
    "beard": "No Beard",  # the negated attribute, with the same balanced accuracy
}


def paper_attribute(name: str) -> str | None:
    """Find the row of Table 5 for an attribute."""
    plain = name.replace("_", " ").strip().lower()
    return ALIASES.get(plain) or _rows().get(plain)


@cache
def _rows() -> dict[str, str]:
    from clmle.paper.tables import table

    return {row.lower(): row for row in table(5)["attribute"].iloc[:-1]}
