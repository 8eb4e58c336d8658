"""How long a thread of PyTorch waits actively for the others at the end of an operation.

GNU OpenMP lets it spin for 300,000 rounds. Where another process occupies a core, the thread that
all wait for cannot run meanwhile, and small networks train slower; ``python -m bench busy``
measures by how much, and that an idle machine loses nothing.
"""

SHORT_SPIN = {"GOMP_SPINCOUNT": "10000"}  # read when PyTorch is loaded
