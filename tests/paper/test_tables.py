"""The published tables are all there, as the paper prints them."""

import pandas
import pytest

from clmle import paper
from clmle.errors import InputError


@pytest.mark.parametrize("number", range(2, 8))
def test_number_text_and_name_give_the_same_table(number):
    table = paper.table(number)
    name = next(n for n in paper.table_names() if n.startswith(f"table{number}_"))
    pandas.testing.assert_frame_equal(table, paper.table(name))
    pandas.testing.assert_frame_equal(table, paper.table(str(number)))
    assert len(table) >= 3
    assert paper.CAPTIONS[number]


def test_numbers_agree_between_tables():
    # The same result stands in several tables: one of them mistyped would show.
    assert paper.table(6).set_index("method").loc["CLMLE", "balanced_accuracy"] == 88.78
    average = paper.table(5).set_index("attribute").loc["Average (40 attributes)", "CLMLE"]
    seventh = paper.table(7).set_index("variant").loc["CLMLE"]
    assert average == seventh["celeba_balanced_acc"] == 88.78
    lfw = paper.table(2).set_index("method").loc["CLMLE", "lfw_acc"]
    assert lfw == seventh["lfw_acc"] == 99.62


def test_table_5_has_every_attribute_and_per_cents():
    table = paper.table(5)
    attributes = table.iloc[:-1]
    assert attributes["attribute"].is_unique
    assert len(attributes) == 40
    figures = attributes.drop(columns=["attribute", "imbalance_level"]).stack().dropna()
    assert figures.between(45, 100).all()
    levels = attributes["imbalance_level"].dropna()
    assert levels.is_monotonic_increasing
    assert levels.between(0, 50).all()


@pytest.mark.parametrize("which", [1, 8, "8", "table9", "../table5_celeba_attributes", ""])
def test_an_error_about_an_unknown_table_lists_the_tables(which):
    with pytest.raises(InputError, match=r"no published table .*table5_celeba_attributes"):
        paper.table(which)
