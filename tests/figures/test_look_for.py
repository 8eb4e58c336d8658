"""Every figure says what to look for, in one sentence that is kept in one file."""

import inspect
import re

import pytest

from clmle import figures
from clmle.figures.export import digest
from clmle.figures.reading import FIGURE, sentences

MADE = [
    name
    for name in figures.__all__
    if inspect.isfunction(getattr(figures, name))
    and inspect.signature(getattr(figures, name)).return_annotation == FIGURE
]


@pytest.mark.parametrize("name", MADE)
def test_every_figure_has_a_sentence_of_its_own(name):
    text = sentences()[name]
    assert re.fullmatch(r"[A-Z][^\n]{20,180}\.", text)
    assert text.count(". ") == 0  # one sentence
    assert list(sentences().values()).count(text) == 1


def test_no_sentence_is_left_over():
    assert set(sentences()) == set(MADE)


def test_a_figure_carries_its_sentence_and_its_picture_stays_the_same():
    figure = figures.long_tail([5, 2])
    assert figures.look_for(figure) == sentences()["long_tail"]
    bare = figures.long_tail.__wrapped__([5, 2])
    assert figures.look_for(bare) == ""
    assert digest(figure) == digest(bare)
