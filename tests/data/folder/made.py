"""Small folders of different random images, and how a folder is read."""

import struct
import warnings
import zlib

import numpy as np
from PIL import Image

from clmle.data import SPLITS, load_folder

RNG = np.random.default_rng(0)


def picture(path, kind=None, pixels=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    if pixels is None:
        pixels = RNG.integers(0, 255, (9, 9, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, kind)
    return path


def deep_colors(path, values):
    """Write (height, width, channels) uint16 values, which Pillow cannot, as PNG or TIFF."""
    height, width, channels = values.shape
    if path.suffix == ".png":
        rows = [b"\0" + row.astype(">u2").tobytes() for row in values]
        kind = {2: 4, 3: 2, 4: 6}[channels]
        head = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
        content = b"\x89PNG\r\n\x1a\n"
        for name, data in (
            (b"IHDR", head),
            (b"IDAT", zlib.compress(b"".join(rows))),
            (b"IEND", b""),
        ):
            content += struct.pack(">I", len(data)) + name + data
            content += struct.pack(">I", zlib.crc32(name + data))
    else:
        pixels = values.astype("<u2").tobytes()
        bits = 8 + len(pixels)
        tags = {256: width, 257: height, 259: 1, 262: 2, 273: 8, 277: channels, 278: height,
                279: len(pixels), 284: 1}  # fmt: skip
        entries = {tag: struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items()}
        entries[258] = struct.pack("<HHII", 258, 3, channels, bits)
        content = b"II*\0" + struct.pack("<I", bits + 2 * channels) + pixels
        content += struct.pack(f"<{channels}H", *[16] * channels)
        content += struct.pack("<H", len(entries)) + b"".join(v for _, v in sorted(entries.items()))
        content += bytes(4)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def tree(home, **counts):
    """Folders with so many images; "__" in a name stands for "/"."""
    home.mkdir(parents=True, exist_ok=True)
    for name, count in counts.items():
        folder = home / name.replace("__", "/")
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(count):
            picture(folder / f"{name}{i:02d}.png")
    return home


def read(folder, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return load_folder(folder, image_size=8, **options)


def counts(dataset, target="label"):
    """Images of each class in each split."""
    values, names = dataset.values_of(target)
    return {
        name: tuple(int(((values == i) & (dataset.split == s)).sum()) for s in range(len(SPLITS)))
        for i, name in enumerate(names)
    }
