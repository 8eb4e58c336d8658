"""One photograph, cropped to the face and shrunk; what is wrong with it is a sentence."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from clmle.data.pixels import FORMATS, MAX_PIXELS, to_rgb


@dataclass(frozen=True)
class Crop:
    """Where the face is in photographs that were all aligned the same way.

    ``photograph`` is their (height, width), of which the proportions are checked; ``box`` the
    part kept, in shares of width and height: left, top, right, bottom. ``kind`` names them.
    """

    photograph: tuple[int, int]
    box: tuple[float, float, float, float]
    kind: str

    def read(
        self, name: str, content: Callable[[], bytes], size: tuple[int, int]
    ) -> np.ndarray | str:
        """(height, width, 3) uint8 of one photograph, or one sentence on why not."""
        from PIL import Image, UnidentifiedImageError

        down, across = self.photograph
        Image.init()  # all formats that may be named below; once a process
        try:
            with Image.open(io.BytesIO(content()), formats=FORMATS) as image:
                w, h = image.size
                if abs(w / h / (across / down) - 1) > 0.05:
                    return (
                        f"{name} has {w} x {h} pixels, not the proportions of {self.kind}, "
                        f"{across} x {down}"
                    )
                if w * h > MAX_PIXELS:
                    return f"{name} has far too many pixels"
                left, top, right, bottom = self.box
                box = (left * w, top * h, right * w, bottom * h)
                small = to_rgb(image).resize(size[::-1], Image.Resampling.BOX, box)
                return np.asarray(small)
        except UnidentifiedImageError:
            return f"{name} is not an image"
        except Image.DecompressionBombError:
            return f"{name} has far too many pixels"
        except FileNotFoundError:
            return f"{name} is missing"
        except Exception as e:  # decoders fail in many ways, and one file must not end a reading
            return f"{name} is damaged ({str(e).splitlines()[0][:60] if str(e) else 'cut off'})"
