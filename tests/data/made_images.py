"""Images of random pixels, and Parquet files as the Hugging Face Hub has them."""

import io
import json

import numpy as np
import pytest
from PIL import Image

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


def png(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def pictures(n, side=16, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, 3), dtype=np.uint8)


def write(file, pixels, columns, features=None, image="image", plain=False):
    """A Parquet file as the Hugging Face Hub has it; ``plain``: the bytes without a struct."""
    data = [png(p) for p in pixels]
    images = data if plain else [{"bytes": d, "path": None} for d in data]
    kind = pa.binary() if plain else pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({image: pa.array(images, kind), **columns})
    if features:
        described = {image: {"_type": "Image"}, **features}
        meta = {"huggingface": json.dumps({"info": {"features": described}})}
        table = table.replace_schema_metadata(meta)
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, file, row_group_size=7)
