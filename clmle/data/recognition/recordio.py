"""RecordIO files of MXNet (``.rec`` and ``.idx``), read without MXNet.

A record has one or several parts. A part is: magic number, length and flag (32 bits each, little
endian; flag in the upper 3 bits), data, zeros up to a multiple of 4 bytes. Flag 0 is a whole
record; 1, 2 and 3 are its first, a middle and its last part. A writer splits a record wherever its
data have the magic number at a multiple of 4 bytes, and omits the number; a reader inserts it
between the parts.

The data begin with the image header of MXNet: flag, label (float32), two ids (64 bits each). If the
flag is not 0, that many float32 labels follow. Then comes the image file.

References
----------
dmlc-core, src/recordio.cc; MXNet, python/mxnet/recordio.py.
"""

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np

from clmle.errors import InputError
from clmle.files import as_sentence, read_lines

MAGIC = 0xCED7230A
MAGIC_BYTES = struct.pack("<I", MAGIC)
PART, HEADER = struct.Struct("<II"), struct.Struct("<IfQQ")
LENGTH_BITS = 29
SEARCHED = 1 << 20  # bytes that are searched at a time
WHOLE, FIRST, MIDDLE, LAST = 0, 1, 2, 3


class DamagedRecordError(ValueError):
    """Reason why a record cannot be read, as the end of a sentence."""


class FileBytes:
    """The bytes of a file, which are read: a memory map ends the process if the file shrinks."""

    def __init__(self, path: Path) -> None:
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115
        self._size = os.fstat(self._file.fileno()).st_size
        self._lock = Lock()  # threads read records

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        """Bytes ``start:stop``."""
        start, stop, _ = part.indices(self._size)
        found = b""
        with self._lock:
            self._file.seek(start)
            while len(found) < stop - start:
                more = self._file.read(stop - start - len(found))
                if not more:
                    raise InputError(
                        "The records have become shorter while they are read; get them again."
                    )
                found += more
        return found

    def find(self, wanted: bytes, start: int) -> int:
        """The first position of some bytes from ``start`` on; -1 if there is none."""
        for begin in range(start, self._size, SEARCHED):
            at = self[begin : begin + SEARCHED + len(wanted) - 1].find(wanted)
            if at >= 0:
                return begin + at
        return -1


@dataclass(frozen=True)
class RecordFile:
    """Positions of the records of a file."""

    path: Path
    buffer: FileBytes
    keys: np.ndarray  # (n,) int64, number of every record
    starts: np.ndarray  # (n,) int64, first byte of every record
    problems: tuple[str, ...]  # of damaged records


def open_records(path: Path, index: Path | None = None) -> RecordFile:
    """Find the records of ``path`` with its index file, or in one pass over the file."""
    try:
        buffer = FileBytes(path)
    except OSError as error:
        raise as_sentence(error, path) from error
    if not len(buffer):
        raise InputError(f"{path} is empty; get it again.")
    if buffer[:4] != MAGIC_BYTES:
        raise InputError(
            f"{path} is not a RecordIO file: it does not begin with the magic number; get it again."
        )
    if index is None:
        starts, problems = _scanned(buffer)
        return RecordFile(path, buffer, np.arange(len(starts)), starts, tuple(problems))
    keys, starts = read_index(index)
    inside = (starts >= 0) & (starts <= len(buffer) - PART.size)
    kept = np.zeros(len(keys), dtype=bool)
    kept[np.unique(starts, return_index=True)[1]] = True
    kept &= inside
    problems = [
        f"record {keys[i]} begins at byte {starts[i]:,}, as another does"
        if inside[i]
        else f"record {keys[i]} should begin at byte {starts[i]:,}, past the end of the file"
        for i in np.flatnonzero(~kept)
    ]
    return RecordFile(path, buffer, keys[kept], starts[kept], tuple(problems))


def read_index(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Keys and first bytes (n,) int64 from the lines "key<tab>byte" of an ``.idx`` file."""
    values = []
    for number, line in enumerate(read_lines(path), start=1):
        parts = line.split()
        if not parts:
            continue
        try:
            key, start = map(int, parts)
            if max(abs(key), abs(start)) >= 2**63:
                raise ValueError
        except ValueError:
            raise InputError(
                f"{path}, line {number} is {line[:60]!r}, but must be two integers, key and "
                "byte; remove the file to have the records searched."
            ) from None
        values.append((key, start))
    if not values:
        raise InputError(f"{path} is empty; remove it to have the records searched.")
    table = np.array(values, dtype=np.int64)
    return table[:, 0], table[:, 1]


def read_record(buffer: FileBytes, start: int) -> bytes:
    """All data of the record at byte ``start``; a DamagedRecordError if it is incomplete."""
    begin, end, flag = _part(buffer, start)
    if flag == WHOLE:
        return buffer[begin:end]
    if flag != FIRST:
        raise DamagedRecordError(f"byte {start:,} is inside a record")
    parts = [buffer[begin:end]]
    while flag != LAST:
        begin, end, flag = _part(buffer, _after(end))
        if flag not in (MIDDLE, LAST):
            raise DamagedRecordError(f"the record at byte {start:,} lacks its last part")
        parts.append(buffer[begin:end])
    return MAGIC_BYTES.join(parts)


def unpack(data: bytes) -> tuple[np.ndarray, bytes]:
    """Labels (k,) float32 and image file of the data of a record."""
    labels, start = _labels(data, 0, len(data))
    return labels, data[start:]


def first_labels(buffer: FileBytes, start: int) -> tuple[np.ndarray, int]:
    """Labels (k,) float32 of the record at ``start``, and bytes of its image, which is not read."""
    begin, end, flag = _part(buffer, start)
    if flag != WHOLE:
        labels, image = unpack(read_record(buffer, start))
        return labels, len(image)
    labels, first = _labels(buffer, begin, end)
    return labels, end - first


def _labels(data: bytes | FileBytes, begin: int, end: int) -> tuple[np.ndarray, int]:
    """Labels (k,) float32 in ``data[begin:end]``, and the first byte of the image."""
    if end - begin < HEADER.size:
        raise DamagedRecordError("its header is cut off")
    n_labels, label, _, _ = HEADER.unpack(data[begin : begin + HEADER.size])
    first = begin + HEADER.size + 4 * n_labels
    if first > end:
        raise DamagedRecordError(f"it announces {n_labels:,} labels, more than it holds")
    if n_labels == 0:
        return np.array([label], dtype=np.float32), first
    return np.frombuffer(data[begin + HEADER.size : first], "<f4"), first


def _part(buffer: FileBytes, start: int) -> tuple[int, int, int]:
    """First byte, end and flag of the data of the part at ``start``."""
    if start + PART.size > len(buffer):
        raise DamagedRecordError(f"the file ends in the record at byte {start:,}")
    magic, word = PART.unpack(buffer[start : start + PART.size])
    if magic != MAGIC:
        raise DamagedRecordError(f"no record begins at byte {start:,}")
    flag, length = word >> LENGTH_BITS, word & ((1 << LENGTH_BITS) - 1)
    begin = start + PART.size
    if flag > LAST:
        raise DamagedRecordError(f"the record at byte {start:,} has the unknown flag {flag}")
    if begin + length > len(buffer):
        raise DamagedRecordError(
            f"the record at byte {start:,} announces {length:,} bytes, but the file ends before"
        )
    return begin, begin + length, flag


def _after(end: int) -> int:
    """First byte of the part after one that ends at ``end``."""
    return (end + 3) // 4 * 4


def _scanned(buffer: FileBytes) -> tuple[np.ndarray, list[str]]:
    """First bytes of the records, in one pass that skips damaged parts to the next magic number."""
    starts, problems = [], []
    position, open_since = 0, -1
    while position < len(buffer):
        try:
            _, end, flag = _part(buffer, position)
            if (flag in (WHOLE, FIRST)) == (open_since >= 0):
                # A record begins before the last one ended, or a part follows no first part.
                first = open_since if open_since >= 0 else position
                problems.append(f"the record at byte {first:,} is not whole")
        except DamagedRecordError as error:
            problems.append(str(error))
            open_since = -1
            position = _next_magic(buffer, position + 4)
            continue
        if flag == FIRST:
            open_since = position
        elif flag == WHOLE:
            starts.append(position)
            open_since = -1
        elif flag == LAST:
            if open_since >= 0:
                starts.append(open_since)
            open_since = -1
        position = _after(end)
    if open_since >= 0:
        problems.append(f"the record at byte {open_since:,} is not whole")
    return np.array(starts, dtype=np.int64), problems


def _next_magic(buffer: FileBytes, position: int) -> int:
    """The next multiple of 4 bytes with the magic number, else the end of the file."""
    while True:
        position = buffer.find(MAGIC_BYTES, position)
        if position < 0:
            return len(buffer)
        if position % 4 == 0:
            return position
        position += 1
