"""Comparisons of the method, the training and the metrics."""
