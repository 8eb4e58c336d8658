"""Inject all faults and print a table: ``python -m tests.robustness``, or ``make faults``.

``--write`` stores the table in docs/benchmarks/injections.json, for the page of benchmarks.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree

from bench.comparison import FOLDER, conditions
from bench.page import table
from clmle.files import write_json

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
STORED = FOLDER / "injections.json"
FRACTION = 0.1  # of the kills of tests/robustness/faults.py
KINDS = {
    "full and read-only disks, set clocks": ["robustness/test_faults.py",
                                             "robustness/test_small_disk.py"],
    "loss of power": ["robustness/test_power_loss.py"],
    "files that become shorter": ["test_file_rows.py"],
    "damaged runs, studies and results": ["robustness/test_damaged_files.py", "test_files.py",
                                          "robustness/test_containment.py",
                                          "robustness/test_damaged_values.py",
                                          "studies/test_results.py"],
    "changed data, configurations and checkpoints": ["training/test_resume.py",
                                                     "training/test_run_data.py"],
    "hostile files": sorted(f"robustness/{p.name}" for p in HERE.glob("test_hostile_*.py")),
    "hostile arguments": sorted(f"robustness/{p.name}" for p in HERE.glob("test_fuzz*.py")),
    "attacks on the server": ["app/test_server.py", "app/test_limits.py"],
    "caches and child processes": ["data/folder/test_cache.py", "test_signed_arrays.py",
                                   "jobs/test_process.py"],
}  # fmt: skip


def row(name: str, files: list[str]) -> dict[str, object]:
    """Run the tests of a kind of fault and count their cases."""
    began = time.monotonic()
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal",
             f"--junitxml={report.name}", *(str(ROOT / "tests" / f) for f in files)],
            cwd=ROOT, stdout=sys.stderr, check=False,
        )  # fmt: skip
        suite = next(ElementTree.parse(report.name).iter("testsuite")).attrib
    failed = int(suite["failures"]) + int(suite["errors"])
    counts = {"cases": int(suite["tests"]), "failed": failed, "skipped": int(suite["skipped"])}
    return {"faults": name, **counts, "seconds": round(time.monotonic() - began)}


def main() -> int:
    """Print both tables; 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.robustness")
    parser.add_argument("--write", action="store_true", help=f"store {STORED}")
    write = parser.parse_args().write

    def run() -> list[dict[str, object]]:
        return [row(name, files) for name, files in KINDS.items()]

    if write:
        record = conditions("make faults", run)
        write_json(STORED, record)
        rows = record["tables"][""]
    else:
        rows = run()
    kills = subprocess.run(
        [sys.executable, "-m", "tests.robustness.faults", "--fraction", str(FRACTION)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = [line for line in kills.stdout.splitlines() if line.startswith("|")]
    print(table(rows) + "\n\n" + "\n".join(lines))
    lost = [line for line in lines[2:] if line.split("|")[8].strip() != "0"]
    return int(bool(kills.returncode or lost or any(one["failed"] for one in rows)))


if __name__ == "__main__":
    sys.exit(main())
