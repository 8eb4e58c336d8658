"""Names and messages from files, links and logs as plain text in Markdown."""

import re

SPECIAL = re.compile(r"[\\`*_\[\]<>$~#|&]|:(?=\S)")


def literal(text: object) -> str:
    """``text`` without effect as Markdown: no link, image, formula, directive or line break."""
    return SPECIAL.sub(r"\\\g<0>", " ".join(str(text).split()))
