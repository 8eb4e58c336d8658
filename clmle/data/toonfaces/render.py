"""From a specification to pixels: SVG, rasterization, pose, light, blur, noise."""

import io
import json
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from clmle.data.toonfaces.specs import FaceSpec
from clmle.data.toonfaces.styles import Style, style_named

MARGIN = 1.3  # rasterized this much wider than shown, so that a rotation leaves no empty corners
OVERSAMPLE = 2
OPTIONAL = (
    "accessories", "glasses", "facialHair", "beard", "details", "earrings", "hairAccessories",
    "freckles",
)  # fmt: skip


def render(identity: FaceSpec, image: FaceSpec, size: int) -> np.ndarray:
    """(size, size, 3) uint8 pixels of one face."""
    style = style_named(identity["style"])
    drawing = _rasterize(_svg(style, identity, image), style, size)
    return _light(_pose(drawing, image, size), image, size)


@cache
def _drawing(name: str) -> Any:
    """The JSON definition of a drawing style."""
    return json.loads(files("dicebear_styles").joinpath(f"{name}.json").read_text("utf-8"))


@cache
def _definition(name: str) -> Any:
    import dicebear

    return dicebear.Style(_drawing(name))


def _svg(style: Style, identity: FaceSpec, image: FaceSpec) -> str:
    import dicebear

    return dicebear.Avatar(_definition(style.name), _options(style, identity, image)).to_string()


def _options(style: Style, identity: FaceSpec, image: FaceSpec) -> dict[str, Any]:
    """Options of the drawing library, with every labeled component forced."""
    variants = {name: list(c["variants"]) for name, c in _drawing(style.name)["components"].items()}
    options: dict[str, Any] = {
        "seed": str(identity["seed"]),
        "backgroundColor": [image["background"]],
        **{f"{name}Probability": 0 for name in OPTIONAL if name in variants},
        **style.fixed,
    }
    expression = np.random.default_rng(image["expression"])
    for component in ("eyes", "eyebrows"):
        allowed = options.get(f"{component}Variant", variants[component])
        options[f"{component}Variant"] = [str(expression.choice(allowed))]

    if identity["bald"]:
        options |= style.bald
    for component, variant in (
        ("mouth", image["mouth"]),
        (style.hair_component, "" if identity["bald"] else image["hat"] or identity["hair"]),
        (style.glasses[0], image["glasses"]),
        (style.beard[0], identity["beard"]),
        (style.mustache[0], identity["mustache"]),
        ("earrings", image["earrings"]),
    ):
        if variant:
            options |= {f"{component}Variant": [variant], f"{component}Probability": 100}
    colors = _drawing(style.name)["colors"]
    wanted = {
        "accessories": image["frame"], "glasses": image["frame"], "earrings": image["jewel"],
        "earring": image["jewel"], "hat": image["cloth"], "clothes": image["cloth"],
        "shirt": image["cloth"],
    }  # fmt: skip
    options |= {f"{name}Color": [value] for name, value in wanted.items() if name in colors}
    if style.skin:
        options[style.skin] = [identity["skin"]]
    for name in style.hair_colors:
        options[name] = [identity["hair_color"]]
    return options


def _rasterize(svg: str, style: Style, size: int) -> Any:
    """The square of the face with a margin, as a Pillow image."""
    import resvg_py
    from PIL import Image

    x, y, side = style.crop
    canvas = float(svg.split('viewBox="0 0 ', 1)[1].split()[0])
    wide = side * MARGIN * canvas
    pixels = round(size * OVERSAMPLE * MARGIN)
    # The wider view shows empty canvas around the drawing, filled with the background later.
    box = f'viewBox="{x * canvas - wide / 2:.2f} {y * canvas - wide / 2:.2f} {wide:.2f} {wide:.2f}"'
    old = svg.split("viewBox=", 1)[1].split('"')[1]
    svg = svg.replace(f'viewBox="{old}"', box, 1)
    png = resvg_py.svg_to_bytes(svg_string=svg, width=pixels, height=pixels, skip_system_fonts=True)
    return Image.open(io.BytesIO(png)).convert("RGBA")


def _pose(drawing: Any, image: FaceSpec, size: int) -> np.ndarray:
    """Rotate, zoom, shift and mirror; then average to (size, size, 3) float."""
    from PIL import Image

    base = Image.new("RGBA", drawing.size, image["background"])
    base.alpha_composite(drawing)
    out = size * OVERSAMPLE
    angle, zoom = np.deg2rad(image["turn"]), 1 / image["zoom"]
    cos, sin = np.cos(angle) * zoom, np.sin(angle) * zoom
    flip = -1.0 if image["mirror"] else 1.0
    center = drawing.size[0] / 2
    dx, dy = (shift * out for shift in image["shift"])
    # Output pixel (u, v) looks up input pixel A (u - out/2, v - out/2) + center + shift.
    a, b, d, e = cos * flip, -sin, sin * flip, cos
    c = center + dx - a * out / 2 - b * out / 2
    f = center + dy - d * out / 2 - e * out / 2
    turned = base.convert("RGB").transform(
        (out, out), Image.Transform.AFFINE, (a, b, c, d, e, f), Image.Resampling.BILINEAR,
        fillcolor=image["background"],
    )  # fmt: skip
    pixels = np.asarray(turned, dtype=np.float32)
    means: np.ndarray = pixels.reshape(size, OVERSAMPLE, size, OVERSAMPLE, 3).mean(axis=(1, 3))
    return means


def _light(pixels: np.ndarray, image: FaceSpec, size: int) -> np.ndarray:
    """Occlusion, brightness, contrast, light from one side, blur and noise."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(image["pixels"])
    if image["occluded"]:
        _occlude(pixels, size, rng)
    side = 1 + image["side_light"] * np.linspace(-1, 1, size, dtype=np.float32)[None, :, None]
    pixels = (pixels - 127.5) * image["contrast"] + 127.5
    pixels = pixels * image["light"] * side
    if image["blur"]:
        sigma = image["blur"] * size / 40
        pixels = gaussian_filter(pixels, (sigma, sigma, 0))
    pixels = pixels + rng.normal(0, image["noise"] + 1e-6, pixels.shape)
    return pixels.clip(0, 255).round().astype(np.uint8)


def _occlude(pixels: np.ndarray, size: int, rng: np.random.Generator) -> None:
    """Cover a lower corner with a disc of one color; no attribute is shown there."""
    y, x = np.mgrid[:size, :size] / size
    corner = 0.0 if rng.random() < 0.5 else 1.0
    radius = rng.uniform(0.18, 0.3)
    inside = (x - corner) ** 2 + (y - 1.02) ** 2 < radius**2
    pixels[inside] = rng.integers(0, 256, 3)
