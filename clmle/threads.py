"""A thread pool for many small matrix operations, each on one thread.

PyTorch distributes a single operation over all threads. For small operations this is slower than
one operation per thread, in particular on a machine with other load.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

SMALL_WORK = 3e7  # multiplications of about a millisecond


@contextmanager
def one_thread_each(threads: int) -> Iterator[ThreadPoolExecutor]:
    """A pool whose threads compute on one CPU thread each; torch's setting is restored after it."""
    before = torch.get_num_threads()
    with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        try:
            yield pool
        finally:
            torch.set_num_threads(before)


@contextmanager
def fitting_threads(work: float) -> Iterator[None]:
    """At most one thread where the largest operation has few multiplications (``work``)."""
    before = torch.get_num_threads()
    torch.set_num_threads(1 if work < SMALL_WORK else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
