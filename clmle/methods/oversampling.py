"""Oversampling: class-balanced batches."""

from clmle.methods._base import register
from clmle.methods.softmax import Softmax


@register("oversampling")
class Oversampling(Softmax):
    """Cross-entropy on class-balanced batches: images of small classes are drawn repeatedly.

    Buda, Maki, Mazurowski: A Systematic Study of the Class Imbalance Problem in Convolutional
    Neural Networks (Neural Networks 106, 2018).
    """

    title = "Oversampling"
    summary = "Cross-entropy on batches with equally many images of every class."
    sampling = "class-balanced"
