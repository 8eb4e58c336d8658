"""Comparisons with peers, one a file; ``python -m bench.NAME``."""
