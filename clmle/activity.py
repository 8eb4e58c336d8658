"""Whether Eq. 9 is at work in a run, from the lines of its metrics file."""

from collections.abc import Mapping, Sequence
from typing import Any

STEPS = 200  # of training, over which the activity is averaged
LEAST = 0.01  # fraction of samples with a hinge above zero


def inactivity_warning(records: Sequence[Mapping[str, Any]]) -> str | None:
    """Warn if the hinges of Eq. 9 were zero for nearly all samples of the last 200 steps.

    ``records`` are the "train" lines of a run. None without Eq. 9, or before it had 200 steps.
    """
    own = [r for r in records if r.get("active_between") is not None]
    if not own or own[-1]["step"] - own[0]["step"] < STEPS:
        return None
    last = [r for r in own if r["step"] > own[-1]["step"] - STEPS]
    active = sum(max(r["active_between"], r.get("active_within") or 0.0) for r in last) / len(last)
    if active >= LEAST:
        return None
    return (
        f"The margin loss (Eq. 9) was above zero for only {active:.1%} of the samples of the last "
        f"{STEPS} steps, so it hardly changes the features; raise between_margin_fraction."
    )
