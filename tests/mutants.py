"""Table of the last `make mutants`: detected mutants of each file, and the survivors.

python tests/mutants.py FILE... reports these files only, such as clmle/margins.py.
"""

import json
import sys
from collections import Counter
from pathlib import Path

from mutmut.stats import status_by_exit_code

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "mutants"


def main(files: list[str]) -> None:
    print("| file | mutants | killed | timed out | survived | no test | not run |")
    print("|---|---|---|---|---|---|---|")
    left = []
    for meta in sorted(FOLDER.rglob("*.meta")):
        name = meta.relative_to(FOLDER).as_posix().removesuffix(".meta")
        codes = json.loads(meta.read_text("utf-8"))["exit_code_by_key"]
        if not codes or (files and name not in files):
            continue
        found = {mutant: status_by_exit_code[code] for mutant, code in codes.items()}
        count = Counter(found.values())
        columns = ("killed", "timeout", "survived", "no tests", "not checked")
        print(f"| {name} | {len(found)} | " + " | ".join(str(count[c]) for c in columns) + " |")
        left += [mutant for mutant, status in found.items() if status in ("survived", "no tests")]
    print("\nSurvivors (mutmut show NAME prints the change):", *left, sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
