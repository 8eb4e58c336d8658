"""Fixtures that several tests of data share."""

from celeba_copy import celeba

__all__ = ["celeba"]
