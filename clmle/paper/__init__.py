"""The published tables as data, for comparison with measured results.

Values of C. Huang, Y. Li, C. C. Loy, X. Tang, *Deep Imbalanced Learning for Face Recognition and
Attribute Prediction*, transcribed from Tables 2 to 7, in percent. An empty entry could not be
read. In Table 5 the order of Bangs and Blond Hair, whose imbalance levels are equal, is a guess.
"""

from typing import TYPE_CHECKING

from clmle._lazy import load_lazily

if TYPE_CHECKING:
    from clmle.paper.corrections import ALL_AT_ONCE, CORRECTIONS, Correction
    from clmle.paper.names import paper_attribute
    from clmle.paper.tables import CAPTIONS, table, table_names

load_lazily(__name__)
