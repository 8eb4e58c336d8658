"""Runs as separate processes: one at a time, or grids of them."""

from clmle.experiments.launch import launch, resume

__all__ = ["launch", "resume"]
