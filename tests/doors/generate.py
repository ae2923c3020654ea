"""Random tables, damaged ones too: `python -m tests.doors.generate 10000 [SEED]` prints what doors disagree about.

tests/doors/test_tables.py draws some of them; DOORS_EXAMPLES is their number.
"""

from __future__ import annotations

import sys
import traceback
from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from tests.doors.doors import find_disagreements, read_portfolio
from tests.doors.random_tables import draw_table


def main(count: int, seed: int) -> int:
    """Draw tables until there are `count`; 1 if doors disagree about one or raise something."""
    found: Counter[str] = Counter()
    with TemporaryDirectory() as folder:
        for number in range(seed, seed + count):
            name, content = draw_table(Random(number))  # noqa: S311
            path = Path(folder) / name
            path.write_bytes(content)
            try:
                problems = find_disagreements(path)
                reading = read_portfolio(path)
                found["refused" if reading.refusal else "faulty" if reading.faults else "read"] += 1
            except Exception:  # noqa: BLE001
                problems = [traceback.format_exc()]
            for problem in problems:
                found["PROBLEM"] += 1
                print(f"--- table {number} ({len(content)} bytes)\n{content[:300]!r}\n{problem[-1500:]}", flush=True)
    print(dict(found))
    return 1 if found["PROBLEM"] else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
