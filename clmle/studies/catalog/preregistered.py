"""Studies that were written down before any of their cells was run."""

from __future__ import annotations

from clmle.studies.spec import FACES, Study, methods

SOFTMAX = ("softmax + threshold tuning",)


def _confirmations() -> tuple[Study, ...]:
    """The recipe against the rivals that three studies left strongest, on what nobody has seen.

    Decided before any of it was run: rivals, seeds and that each seed has test images of its own,
    of faces even people and pictures of its own. No choice was ever made on these seeds: where the
    recipe changed after it had been judged on some, others took their place (docs/research_log.md, 59).
    """
    sets = (
        ("toonfaces", "other faces", range(31, 37), FACES, (), ()),
        ("digits", "other splits of the digits", range(31, 39), (), (), SOFTMAX),
        ("solar-cells", "other modules", range(31, 39), ("Defective",), (20,), SOFTMAX),
    )  # fmt: skip
    natural = tuple(
        Study(
            f"confirmation-{dataset}",
            f"Decided beforehand: {what}, other seeds",
            "Does the lead over the strongest rival hold where nothing was chosen?",
            methods("clmle", "oversampling + threshold tuning", *more, split=-1),
            attributes=attributes,
            seeds=tuple(seeds),
            ratios=ratios,
            dataset=dataset,
        )
        for dataset, what, seeds, attributes, ratios, more in sets
    )
    scarce = Study(
        "confirmation-imbalance",
        "Decided beforehand: every attribute at 100 to 1, other faces",
        "Is the lead over the strongest rival larger where the few are fewer?",
        methods("clmle", "oversampling + threshold tuning", split=-1),
        attributes=FACES,
        seeds=(31, 32, 33, 34),  # faces of the first four seeds above
    )
    return (*natural, scarce)


CONFIRMATIONS = _confirmations()
