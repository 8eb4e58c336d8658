"""Illustrated faces with labels that are correct by construction; no download."""
