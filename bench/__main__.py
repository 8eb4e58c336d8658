"""All comparisons, printed: python -m bench [--quick]."""

import argparse

from bench import (
    attributes,
    clustering,
    distributed,
    identities,
    nearest,
    pages,
    rendering,
    sessions,
    step,
    verification,
)
from bench.report import print_rows

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--quick", action="store_true")
quick = parser.parse_args().quick
print_rows("Balanced clustering against peers", clustering.against_constrained(quick))
print_rows("Balanced clustering as n grows", clustering.growth(quick))
print_rows("Nearest-cluster rule", nearest.run(quick))
print_rows("A training step of 240 images of 40 x 40", step.run(quick))
print_rows("Forty attributes at CelebA's size", attributes.run(quick))
print_rows(distributed.TITLE, distributed.run(quick))
print_rows(identities.TITLE, identities.run(quick))
print_rows("Rendering a face", rendering.run(quick))
print_rows("Exact verification in one pass", verification.streaming(quick))
print_rows("The same figures by peers", verification.against_peers(quick))
print_rows("Pages of the app with 50 runs on disk", pages.run(quick))
print_rows("Many sessions of the app at once", sessions.run(quick))
