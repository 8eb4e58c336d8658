"""The glossary: sorted, used for tooltips, complete for the metrics that the app shows."""

import pytest

from app.widgets.terms import columns, explained, meaning
from clmle import figures, studies


def test_terms_are_in_order_and_defined_in_sentences():
    terms = figures.glossary()
    assert list(terms) == sorted(terms, key=str.casefold)
    for term, text in terms.items():
        assert text.endswith("."), term
        assert len(text) < 250, term


@pytest.mark.parametrize("name", [*figures.METRICS.values(), *studies.METRIC_LABELS.values()])
def test_every_metric_has_a_tooltip(name):
    assert meaning(name), name


def test_a_term_is_found_in_a_longer_name():
    assert meaning("recall of 7") == meaning("minority recall") == figures.glossary()["recall"]
    assert meaning("precision of cats") == figures.glossary()["precision"]
    assert meaning("seeds") == figures.glossary()["seed"]
    assert meaning("no such thing") is None
    assert list(columns(["seed", "file"])) == ["seed"]
    assert explained(["seed", "file"]).startswith("**seed**")
