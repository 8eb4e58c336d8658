"""The published tables as data, to stand beside what is measured here.

Facts of C. Huang, Y. Li, C. C. Loy, X. Tang, *Deep Imbalanced Learning for Face Recognition and
Attribute Prediction*, transcribed from Tables 2 to 7; all figures in per cent.
An empty cell could not be read. In Table 5 the order of Bangs and Blond Hair, whose imbalance
levels are the same, is a guess.
"""

from clmle.paper.names import paper_attribute
from clmle.paper.repairs import REPAIRS, Repair
from clmle.paper.tables import CAPTIONS, table, table_names

__all__ = ["CAPTIONS", "REPAIRS", "Repair", "paper_attribute", "table", "table_names"]
