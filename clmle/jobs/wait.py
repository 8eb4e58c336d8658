"""``python -m clmle.jobs.wait FOLDER N``: train a run when it is its turn, N at a time.

A process that waits has not imported PyTorch, so that many can wait at once; it becomes the process
that trains.
"""

import os
import sys
from pathlib import Path

from clmle.jobs.run_queue import wait_for_slot
from clmle.run_folder import RunFolder

if __name__ == "__main__":
    folder, at_a_time = sys.argv[1:]
    if not wait_for_slot(RunFolder(Path(folder)), int(at_a_time)):
        sys.exit(130)
    train = [sys.executable, "-P", "-m", "clmle", "train", "--resume", folder]
    os.execv(sys.executable, train)
