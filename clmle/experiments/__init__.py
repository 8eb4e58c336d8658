"""Runs as separate processes."""

from clmle.experiments.launch import launch, resume

__all__ = ["launch", "resume"]
