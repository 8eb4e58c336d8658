#!/usr/bin/env bash
# The checks of a GPU in one command of about ten minutes: the tests of tests/gpu on the real GPU,
# then the time of a training step of several methods (python -m bench step). It writes
# FOLDER/tests.txt and FOLDER/step.cuda.json.
#
#     bench/gpu.sh [FOLDER]  default: docs/benchmarks for step.cuda.json, a new folder for tests.txt
#
# PYTHON names the interpreter; by default .venv/bin/python where there is one, else python3.
set -u
cd "$(dirname "$0")/.."

out=${1:-docs/benchmarks}
log=${1:-$(mktemp -d)}
mkdir -p "$out" "$log"
python=${PYTHON:-.venv/bin/python}
command -v "$python" >/dev/null || python=python3
export PYTHONPATH=$PWD OMP_NUM_THREADS=${OMP_NUM_THREADS:-4}

if ! "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
    echo "PyTorch finds no GPU with $python; install a build for CUDA, or set PYTHON." >&2
    exit 1
fi
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader

failed=0
timeout 270 "$python" -m pytest -q tests/gpu -p no:cacheprovider >"$log/tests.txt" 2>&1 || failed=1
tail -n 15 "$log/tests.txt"
timeout 300 "$python" -m bench step --out "$out" || failed=1
echo "Tests: $log/tests.txt. Times: $out/step.cuda.json."
exit "$failed"
