"""Rows of features are shown as gray squares where images are shown."""

import numpy as np

from app.widgets.viewer import image_sheets, mosaic, pictures, sides


def test_features_are_shown_as_squares():
    features = np.linspace(-1, 3, 60).reshape(6, 10)
    assert sides(features) == (4, 4)
    shown = pictures(features)
    assert shown.shape == (6, 4, 4, 1)
    assert shown[0, 0, 0, 0] < shown[5, 2, 1, 0]
    assert not shown[:, 2, 2:].any()  # padding
    assert mosaic(features, 3).shape == (8, 12)
    assert len(image_sheets(features, np.arange(6))) == 1
    images = np.zeros((2, 4, 4, 3), np.uint8)
    assert pictures(images) is images
