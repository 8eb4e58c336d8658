"""Notebooks on the public API. ``python -m notebooks FOLDER`` executes them and writes pages."""
