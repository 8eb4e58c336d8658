"""The core needs torch, numpy, scipy and scikit-learn alone."""

import subprocess
import sys

HEAVY = ("faiss", "umap", "openTSNE", "plotly", "streamlit", "pandas", "pyarrow", "PIL", "dicebear")


def loaded_after(code):
    program = f"{code}\nimport sys\nprint(' '.join(m for m in {HEAVY} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_public_names_load_nothing_heavy():
    assert loaded_after("from clmle import *") == []


def test_training_and_data_load_nothing_heavy_until_used():
    assert (
        loaded_after("import clmle.training, clmle.data, clmle.methods as m; m.method_names()")
        == []
    )
