"""The core needs only torch, numpy, scipy and scikit-learn."""

import subprocess
import sys

import numpy as np
import pytest

from clmle._search import _by_torch, nearest_rows

HEAVY = ("faiss", "umap", "openTSNE", "plotly", "streamlit", "pandas", "pyarrow", "PIL", "dicebear")


def runs_without_them(code, packages=HEAVY):
    """Run ``code`` in a process in which ``packages`` cannot be imported."""
    program = f"import sys\nfor m in {packages}: sys.modules[m] = None\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_public_names_work_without_other_packages():
    runs_without_them(
        "from clmle import *\nimport torch\n"
        "clusters = balanced_spherical_kmeans(torch.randn(50, 4), 10)\n"
        "nearest_cluster_scores(torch.randn(3, 4), clusters.centroids, [0, 0, 1, 1, 1], 3)\n"
        "margin_bounds([3, 2], 8).between_sphere"
    )


def test_the_classifier_predicts_the_same_without_faiss():
    runs_without_them(
        "from sklearn.datasets import load_digits\n"
        "from clmle import NearestClusterClassifier\n"
        "X, y = load_digits(return_X_y=True)\n"
        "model = NearestClusterClassifier(rule='mean').fit(X[::2], y[::2])\n"
        "assert (model.predict(X) == y).mean() > 0.9",
        ["faiss"],  # scikit-learn looks for a loaded pandas by its name
    )
    rng = np.random.default_rng(0)
    queries, rows = (rng.normal(size=(n, 6)).astype(np.float32) for n in (700, 90))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("clmle._search.BLOCK", 2**14)  # several blocks
        got = _by_torch(queries, rows, 7)
    similarity, near = nearest_rows(queries, rows, 7)
    np.testing.assert_array_equal(got[1], near)
    np.testing.assert_allclose(got[0], similarity, rtol=1e-5, atol=1e-6)


def test_training_and_data_load_without_other_packages():
    runs_without_them(
        "import clmle.training, clmle.data, clmle.methods as m\n"
        "assert m.method_names()\nclmle.data.load_digits()"
    )
