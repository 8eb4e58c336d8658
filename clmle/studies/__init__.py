"""Runs as separate processes: one at a time, or grids of them."""

from clmle.jobs.launch import launch, resume

__all__ = ["launch", "resume"]
