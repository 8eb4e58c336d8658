"""Fixtures that several tests of data share."""

from tests.data.celeba_copy import celeba

__all__ = ["celeba"]
