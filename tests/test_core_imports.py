"""The core needs torch, numpy, scipy and scikit-learn alone."""

import subprocess
import sys

HEAVY = ("faiss", "umap", "openTSNE", "plotly", "streamlit", "pandas", "pyarrow", "PIL", "dicebear")


def runs_without_them(code):
    """Run ``code`` where those packages cannot be imported."""
    program = f"import sys\nfor m in {HEAVY}: sys.modules[m] = None\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_public_names_work_without_the_rest():
    runs_without_them(
        "from clmle import *\nimport torch\n"
        "clusters = balanced_spherical_kmeans(torch.randn(50, 4), 10)\n"
        "nearest_cluster_scores(torch.randn(3, 4), clusters.centroids, [0, 0, 1, 1, 1], 3)\n"
        "margin_bounds([3, 2], 8).between_sphere"
    )


def test_training_and_data_load_without_the_rest():
    runs_without_them(
        "import clmle.training, clmle.data, clmle.methods as m\n"
        "assert m.method_names()\nclmle.data.load_digits()"
    )
