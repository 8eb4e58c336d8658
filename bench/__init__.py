"""Measured comparisons with other packages, and docs/benchmarks.md: ``python -m bench``."""
