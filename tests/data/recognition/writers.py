"""Writers of the formats that people have, from the formats' descriptions; nothing of clmle."""

import io
import struct

import numpy as np
from PIL import Image

MAGIC = b"\x0a\x23\xd7\xce"  # 0xced7230a, little endian


def jpeg(value, size=(16, 16), **options):
    """A JPEG file of one gray level or color."""
    color = (value, value, value) if isinstance(value, int) else value
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


def parts_of(data):
    """Parts of a record: it is cut, and 4 bytes left out, at every aligned magic number."""
    cuts = [i for i in range(0, len(data) // 4 * 4, 4) if data[i : i + 4] == MAGIC]
    pieces, begin = [], 0
    for cut in cuts:
        pieces.append(data[begin:cut])
        begin = cut + 4
    pieces.append(data[begin:])
    return pieces


def record(data):
    """One record as bytes."""
    pieces = parts_of(data)
    out = b""
    for i, piece in enumerate(pieces):
        last = i == len(pieces) - 1
        flag = 0 if len(pieces) == 1 else 1 if i == 0 else 3 if last else 2
        out += MAGIC + struct.pack("<I", flag * 2**29 + len(piece)) + piece
        out += bytes(-len(piece) % 4)
    return out


def packed(label, image, key=0):
    """MXNet's image header, labels, image."""
    if np.ndim(label) == 0:
        return struct.pack("<IfQQ", 0, label, key, 0) + image
    head = struct.pack("<IfQQ", len(label), 0.0, key, 0)
    return head + np.asarray(label, dtype="<f4").tobytes() + image


def write_records(folder, datas, name="train", index=True):
    """``datas`` {key: bytes} as NAME.rec and NAME.idx; returns the first byte of every key."""
    folder.mkdir(parents=True, exist_ok=True)
    out, starts = bytearray(), {}
    for key, data in datas.items():
        starts[key] = len(out)
        out += record(data)
    (folder / f"{name}.rec").write_bytes(out)
    if index:
        lines = "".join(f"{key}\t{start}\n" for key, start in starts.items())
        (folder / f"{name}.idx").write_text(lines)
    return starts


def insightface(images, labels, vector=False):
    """{key: data} laid out as InsightFace does: header 0, images from 1, identities after them."""
    n = len(images)
    people = sorted(set(labels))
    datas = {0: packed([n + 1, n + 1 + len(people)], b"")}
    for i, (image, label) in enumerate(zip(images, labels, strict=True), start=1):
        datas[i] = packed([label, 7.0] if vector else float(label), image, i)
    for i, person in enumerate(people):
        mine = [k for k, label in enumerate(labels, start=1) if label == person]
        datas[n + 1 + i] = packed([mine[0], mine[-1] + 1], b"", n + 1 + i)
    return datas
