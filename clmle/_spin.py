"""How long a thread of PyTorch waits actively for the others at the end of an operation.

By default GNU OpenMP lets it spin for milliseconds. Where another process occupies a core, the
thread that all wait for cannot run meanwhile, and small networks train several times slower. Ten
thousand rounds are a few hundredths of a millisecond: on an idle machine nothing gets slower.
"""

SHORT_SPIN = {"GOMP_SPINCOUNT": "10000"}  # read when PyTorch is loaded
