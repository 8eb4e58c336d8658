"""Alignment against a least-squares solution and synthetic faces of five dots."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from clmle import InputError
from clmle.data.recognition.align import (
    POINTS_112_X_96,
    POINTS_112_X_112,
    align,
    reference_points,
    similarity_transform,
)
from clmle.data.recognition.identities import load_identities
from clmle.data.recognition.landmarks import detector, find_landmarks, read_landmarks

numbers = st.floats(-500, 500, allow_nan=False, width=32)
points = st.lists(st.tuples(numbers, numbers), min_size=5, max_size=5).map(np.array)


@settings(deadline=None, max_examples=60)
@given(points, points)
def test_the_transform_is_the_least_squares_solution(source, target):
    if np.ptp(source, axis=0).max() < 1:
        return
    # x' = a x - b y + c, y' = b x + a y + d: linear in (a, b, c, d).
    x, y = source.T
    one, nil = np.ones(5), np.zeros(5)
    rows = np.vstack([np.column_stack([x, -y, one, nil]), np.column_stack([y, x, nil, one])])
    a, b, c, d = np.linalg.lstsq(rows, np.concatenate(target.T), rcond=None)[0]
    found = similarity_transform(source, target)
    np.testing.assert_allclose(found, [[a, -b, c], [b, a, d]], atol=1e-6 * max(1, abs(c), abs(d)))


def test_exact_transforms_are_recovered():
    turn = np.array([[np.cos(2.1), -np.sin(2.1)], [np.sin(2.1), np.cos(2.1)]])
    found = similarity_transform(POINTS_112_X_96, 3.5 * POINTS_112_X_96 @ turn.T + [7, -9])
    np.testing.assert_allclose(found, np.column_stack([3.5 * turn, [7, -9]]), atol=1e-10)


def dots(landmarks, side, radius):
    """A photograph with a soft dot at every landmark."""
    y, x = np.mgrid[:side, :side]
    photo = np.zeros((side, side))
    for px, py in landmarks:
        photo = np.maximum(photo, 255 * np.exp(-((x - px) ** 2 + (y - py) ** 2) / 2 / radius**2))
    return np.repeat(photo[..., None], 3, axis=2).astype(np.uint8)


def place(photo, point, reach):
    """Center of brightness around a point."""
    y, x = np.mgrid[: photo.shape[0], : photo.shape[1]]
    weight = photo[..., 0] * (np.hypot(x - point[0], y - point[1]) < reach)
    return (weight * x).sum() / weight.sum(), (weight * y).sum() / weight.sum()


@pytest.mark.parametrize("size", [(112, 112), (112, 96), (56, 48)])
@pytest.mark.parametrize(("zoom", "angle"), [(1.0, 0.0), (0.7, 0.3), (2.6, -0.5), (5.0, 0.2)])
def test_landmarks_are_mapped_to_the_reference_points(size, zoom, angle):
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    landmarks = POINTS_112_X_112 @ turn.T + np.array([70, 45]) * max(zoom, 1)
    photo = dots(landmarks, int(230 * max(zoom, 1)), 3 * zoom)
    face = align(photo, landmarks.ravel(), size)
    assert face.shape == (*size, 3)
    wanted = reference_points(size)
    for point in wanted:
        error = np.subtract(place(face, point, 8 * size[0] / 112), point)
        assert np.abs(error).max() < 0.2  # far less than the half pixel of a wrong convention


def test_an_aligned_face_is_unchanged():
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(0, 256, (14, 14, 3), dtype=np.uint8)).resize((112, 112))
    face = np.asarray(smooth)
    assert np.abs(align(face, POINTS_112_X_112).astype(int) - face).max() <= 1


def test_invalid_sizes_and_landmarks_are_one_sentence_errors():
    face = np.zeros((50, 50, 3), np.uint8)
    with pytest.raises(InputError, match="must be \\(112, 96\\)"):
        align(face, POINTS_112_X_96, (100, 20))
    with pytest.raises(InputError, match="five points"):
        align(face, POINTS_112_X_96[:3])
    with pytest.raises(InputError, match="equal"):
        align(face, np.ones(10))
    with pytest.raises(InputError, match="finite"):
        align(face, np.full(10, np.nan))
    with pytest.raises(InputError, match="uint8"):
        align(face.astype(float), POINTS_112_X_96)


def test_landmarks_are_read_with_and_without_a_header(tmp_path):
    line = "a b/1.jpg " + " ".join(f"{v:.1f}" for v in POINTS_112_X_96.ravel())
    head = "1\nlefteye_x lefteye_y righteye_x righteye_y nose_x nose_y l_x l_y r_x r_y\n"
    for text in (line, head + line, line.replace(" ", ",").replace("a,b", "a b"), f"{line}\n\n"):
        (tmp_path / "l.txt").write_text(text)
        (name,) = found = read_landmarks(tmp_path / "l.txt")
        assert name == "a b/1.jpg"
        np.testing.assert_allclose(found[name], POINTS_112_X_96.round(1), atol=1e-4)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no line"),
        ("a.jpg 1 2 3 4 5 6 7 8 9 10\nb.jpg 1 2 3", "line 2 is 'b.jpg 1 2 3'"),
        ("a.jpg 1 2 3 4 5 6 7 8 9 10\nb.jpg 1 2 3 4 5 6 7 8 9 nan", "line 2"),
        ("a.jpg 1 2 3 4 5 6 7 8 9 10\n" * 2, "line 2 has a.jpg a second time"),
    ],
)
def test_an_error_names_the_line_of_invalid_landmarks(tmp_path, text, sentence):
    (tmp_path / "l.txt").write_text(text)
    with pytest.raises(InputError, match=sentence):
        read_landmarks(tmp_path / "l.txt")


def test_folders_are_aligned_with_a_file_of_landmarks(tmp_path):
    rng = np.random.default_rng(0)
    truth = {}
    for i in range(8):
        folder = tmp_path / "faces" / "ab"[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        landmarks = POINTS_112_X_112 * rng.uniform(0.8, 1.2) + rng.uniform(5, 30, 2)
        Image.fromarray(dots(landmarks, 180, 3)).save(folder / f"{i}.png")
        truth[i] = landmarks
    Image.new("RGB", (30, 30)).save(folder / "faceless.png")
    order = iter([truth[i] for i in (0, 2, 4, 6, 1, 3, 5, 7)])

    def detect(image):
        return next(order) if image.shape == (180, 180, 3) else None

    done = find_landmarks(tmp_path / "faces", tmp_path / "points.txt", detect)
    assert done == (8, 9)
    with pytest.warns(UserWarning, match=r"1 of 9 files .* b/faceless\.png \(no landmarks\)"):
        data = load_identities(
            tmp_path / "faces", image_size=(112, 96), landmarks=tmp_path / "points.txt"
        )
    for face in data.images[:8]:
        for point in POINTS_112_X_96:
            assert np.abs(np.subtract(place(face, point, 8), point)).max() < 0.2


def test_a_missing_detector_is_a_one_sentence_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "facenet_pytorch", None)
    with pytest.raises(InputError, match="install it, or give a file of landmarks"):
        detector()
