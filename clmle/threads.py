"""Work of many small parts: side by side, each part on one thread.

PyTorch spreads a single operation over all threads, which then wait for each other. Small
operations gain nothing by it, and lose much on a machine that does something else besides.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch


@contextmanager
def one_thread_each(threads: int) -> Iterator[ThreadPoolExecutor]:
    """A pool whose threads do their own matrix products; torch's setting is as before after it."""
    before = torch.get_num_threads()
    with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        try:
            yield pool
        finally:
            torch.set_num_threads(before)
