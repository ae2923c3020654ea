"""`make bench-features`: time and peak memory of the relational features, compared with pandas on a tenth of the data.

Generates the seven Home Credit tables (benchmarks/home_credit), runs `python -m train features` on them, then the same
in pandas (benchmarks/pandas_features.py: features, near-duplicates, Parquet) on a tenth of the applications. Each runs
in a process of its own; its peak memory is that of os.wait4.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.home_credit.__main__ import generate


@dataclass(frozen=True, slots=True)
class Cost:
    """Wall time, CPU time and peak memory of a process."""

    seconds: float
    cpu_seconds: float
    gigabytes: float

    def __str__(self) -> str:
        return f"{self.seconds:7.1f} s   {self.cpu_seconds:7.1f} s of CPU   {self.gigabytes:5.2f} GB peak"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.features", description=__doc__)
    parser.add_argument("--applications", type=int, default=300_000, metavar="N", help="default: 300000")
    parser.add_argument("--memory", default="4GB", help="memory limit of DuckDB; default: 4GB")
    parser.add_argument("--folder", type=Path, help="folder to keep the tables in; default: a temporary one")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        whole, tenth = folder / "whole", folder / "tenth"
        rows = prepare(whole, arguments.applications)
        tenth_rows = prepare(tenth, arguments.applications // 10)
        print(f"{rows:,} rows, pandas {tenth_rows:,}; load average before: {os.getloadavg()[0]:.1f}", flush=True)
        out = ["--out", f"{folder}/features.parquet", "--card", f"{folder}/home_credit.toml"]
        ours = measure("train", "features", str(whole), *out, "--memory", arguments.memory)
        print(f"python -m train features  {ours}", flush=True)
        pandas = measure("benchmarks.pandas_features", str(tenth), f"{folder}/pandas.parquet")
        print(f"pandas, on a tenth        {pandas}")
        times = [rows / tenth_rows * each for each in (pandas.seconds, pandas.cpu_seconds, pandas.gigabytes)]
        print(f"pandas, extrapolated      {Cost(*times)}")
        print(f"load average after: {os.getloadavg()[0]:.1f}")


def prepare(folder: Path, applications: int) -> int:
    """Generate the tables unless the folder has them; returns the number of rows."""
    counted = folder / "rows.txt"
    if not counted.exists():
        counted.parent.mkdir(parents=True, exist_ok=True)
        counted.write_text(str(sum(generate(applications, folder).values())))
    return int(counted.read_text())


def measure(module: str, *arguments: str) -> Cost:
    """Run a module in a process of its own; raises CalledProcessError if it fails."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if code := os.waitstatus_to_exitcode(status):
        raise subprocess.CalledProcessError(code, [module, *arguments])
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024**2)


if __name__ == "__main__":
    main()
