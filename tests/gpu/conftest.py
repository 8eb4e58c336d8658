"""The GPU of these tests: a real one where there is one, else the pretend one."""

import pytest
import torch

from tests.gpu.pretend import pretend_gpu
from tests.gpu.real import real_gpu


@pytest.fixture
def gpu():
    """A GPU that counts, in ``waits``, what makes the host wait for it."""
    with real_gpu() if torch.cuda.is_available() else pretend_gpu() as found:
        yield found
