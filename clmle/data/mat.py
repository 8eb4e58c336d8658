"""Variables of a .mat file, read in a child process: a hostile file can crash the readers.

``python -m clmle.data.mat FILE NAME ...`` writes them to stdout as an archive of arrays.
"""

import io
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from clmle.errors import InputError

MAX_NUMBERS = 10_000_000  # of a variable; the labels of LFWA are 13,143 x 40
MAX_NAME = 1000  # characters
ROOM = 256 * 2**20  # bytes that a small file may take; a large one takes up to 8 times its size
SECONDS = 20  # of computing


def read_mat(path: Path, names: tuple[str, ...]) -> dict[str, Any]:
    """Variables of a .mat file, of MATLAB 7.3 (which is HDF5) or earlier; strings as str."""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-P", "-m", __name__, os.path.abspath(path), *names],
        env=os.environ | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL, capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        why = said[-1] if said and done.returncode == 2 else "the reader crashed on it"
        raise InputError(f"{path} cannot be read ({why[:200]}); it may be cut off: get it again.")
    with np.load(io.BytesIO(done.stdout), allow_pickle=False) as stored:
        found = {name: stored[name] for name in stored.files}
    for name in names:
        if name not in found:
            raise InputError(f"{path} has no variable {name}; it is not LFWA's {path.name}.")
    return {n: v.tolist() if v.dtype.kind == "U" else v for n, v in found.items()}


def variables(path: Path, names: tuple[str, ...]) -> dict[str, Any]:
    """As :func:`read_mat`, in this process."""
    try:
        import h5py
    except ImportError as error:
        raise ValueError("it needs the package h5py: pip install h5py") from error
    if h5py.is_hdf5(path):
        with h5py.File(path, "r") as file:
            return {name: _hdf5(file, name) for name in names if name in file}
    from scipy.io import loadmat, whosmat

    if any(math.prod(shape) > MAX_NUMBERS for _, shape, _ in whosmat(path)):
        raise ValueError("a variable is far too large")
    loaded = loadmat(path, variable_names=names, simplify_cells=True)
    return {n: loaded[n] for n in names if n in loaded}


def _hdf5(file: Any, name: str) -> Any:
    import h5py

    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        raise ValueError(f"{name} is only a link")
    values = _array(file[name], MAX_NUMBERS)
    if values.dtype != object:
        return values
    # A cell array: references to texts in UTF-16.
    texts = (_array(file[r], MAX_NAME).ravel() for r in values.ravel())
    return ["".join(map(chr, text)) for text in texts]


def _array(stored: Any, most: int) -> np.ndarray:
    """An array stored in the HDF5 file itself, of at most ``most`` numbers."""
    if stored.external or stored.is_virtual or stored.size > most:
        raise ValueError("it holds an array that is in other files or far too large")
    return np.asarray(stored[()])


def _plain(value: Any) -> np.ndarray:
    """An array of numbers or texts."""
    array = np.asarray(value)
    return np.array([str(v) for v in array.ravel()]) if array.dtype == object else array


def _limit(size: int) -> None:
    """Limit what this process may still take, once the libraries are loaded."""
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    used = Path("/proc/self/statm")
    if used.exists():  # other systems count in other ways
        taken = int(used.read_text().split()[5]) * resource.getpagesize()
        most = taken + max(ROOM, 8 * size)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(path: Path, names: tuple[str, ...]) -> int:
    """Write the variables to stdout; 2 and one line on stderr if they cannot be read."""
    import h5py  # noqa: F401
    import scipy.io  # noqa: F401

    _limit(path.stat().st_size)
    try:
        found = {name: _plain(value) for name, value in variables(path, names).items()}
        if any(value.dtype.kind not in "biufU" for value in found.values()):
            raise ValueError("it holds something that is neither numbers nor texts")
        np.savez(sys.stdout.buffer, allow_pickle=False, **found)
    except MemoryError:
        print("it needs far more memory than it has bytes", file=sys.stderr)
        return 2
    except Exception as error:  # both readers raise many types on a damaged file
        text = " ".join(str(error).split())
        print(f"{type(error).__name__}: {text}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), tuple(sys.argv[2:])))
