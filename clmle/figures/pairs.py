"""Pairs of faces that are hard to verify (Fig. 8 of the paper)."""

import base64
from collections.abc import Mapping, Sequence
from io import BytesIO

import numpy as np

from clmle.errors import InputError
from clmle.figures.layout import Figure, finish, new_figure
from clmle.figures.theme import color

__all__ = ["pair_strip"]

SAME, DIFFERENT = color(2), color(5)  # green and vermilion; the words carry the same information
ROW = 2.1  # height of a row in heights of an image: its name, the pairs, their similarities
TITLES = {
    "right_same": "one person, accepted",
    "wrong_same": "one person, rejected",
    "right_different": "two people, rejected",
    "wrong_different": "two people, accepted",
}


def pair_strip(
    pairs: Mapping[str, Sequence[tuple[np.ndarray, np.ndarray, float]]],
    *,
    title: str = "Challenging pairs",
) -> Figure:
    """Rows of image pairs with their similarities; solid frames mark correct predictions.

    Parameters
    ----------
    pairs : mapping of str to sequence of (left, right, similarity)
        Images are (height, width, channels) of uint8. Rows are named as by
        :func:`clmle.metrics.verification.challenging_pairs`.
    title : str

    Examples
    --------
    >>> image = np.zeros((8, 8, 3), dtype=np.uint8)
    >>> pair_strip({"right_same": [(image, image, 0.5)]}).layout.annotations[1].text
    '0.50'
    """
    for name in pairs:
        if name not in TITLES:
            raise InputError(f"There is no row {name!r} of pairs; rows are {', '.join(TITLES)}.")
    figure = new_figure()
    across = max((len(row) for row in pairs.values()), default=1) or 1
    for r, (name, row) in enumerate(pairs.items()):
        ink = SAME if name.endswith("_same") else DIFFERENT
        top = ROW * r
        figure.add_annotation(
            x=0, y=top - 0.06, text=f"{TITLES[name]}{'' if row else ': none'}", showarrow=False,
            xanchor="left", yanchor="bottom", font={"color": ink, "size": 13},
        )  # fmt: skip
        for i, (left, right, similarity) in enumerate(row):
            at = 2.25 * i
            for k, image in enumerate((left, right)):
                figure.add_layout_image(
                    source=_data_uri(image), x=at + k, y=top, sizex=1, sizey=1, xref="x", yref="y",
                    sizing="stretch", layer="below",
                )  # fmt: skip
            figure.add_shape(
                type="rect", x0=at, x1=at + 2, y0=top, y1=top + 1,
                line={"color": ink, "width": 3, "dash": "solid" if "right_" in name else "dash"},
            )  # fmt: skip
            figure.add_annotation(
                x=at + 1, y=top + 1.02, text=f"{similarity:.2f}", showarrow=False, yanchor="top",
                font={"size": 12},
            )  # fmt: skip
    # An invisible point makes the axes exist where there is no data.
    figure.add_scatter(x=[0], y=[0], mode="markers", marker={"opacity": 0}, hoverinfo="skip")
    pixels = min(110, 800 / (2.25 * across))  # of an image where the figure is 800 wide
    finish(figure, title, "", "", height=round(70 + pixels * ROW * max(len(pairs), 1)))
    figure.update_xaxes(visible=False, range=[-0.1, 2.25 * across])
    figure.update_yaxes(
        visible=False, range=[ROW * max(len(pairs), 1) - 0.35, -0.4], scaleanchor="x",
        constrain="domain",
    )  # fmt: skip
    figure.update_layout(showlegend=False)
    return figure


def _data_uri(image: np.ndarray) -> str:
    """The image as a PNG inside the figure, so that an export contains it."""
    from PIL import Image

    pixels = np.asarray(image)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or pixels.shape[2:] == (3,)):
        raise InputError(
            "Images of pairs must be uint8 (height, width, channels) of 1 or 3 channels, but one "
            f"is {pixels.shape} of {pixels.dtype}."
        )
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
