"""`make slug`: build the slug as the platform would, run its Procfile, compare its answers, print its size.

Fails if a training library can be imported in the slug or if it is too large. `--this-python` uses this interpreter
instead of the one that runtime.txt names.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tarfile
import time
from pathlib import Path

import httpx

from deploy import ROOT, buildpack
from deploy.dyno import run_release, start_web, wait_until_ready
from deploy.errors import DeployError
from deploy.slugignore import kept_files
from model.contract import Golden
from model.loading import GOLDEN_TOLERANCE, load_model

SLUG = ROOT / "build" / "slug"
FORBIDDEN = ("sklearn", "pandas", "scipy", "onnx", "skl2onnx", "joblib", "train")
"""Modules that must not be importable in the slug."""

MAX_MB, MAX_COMPRESSED_MB = 140, 45
"""Size limits of the slug, without the interpreter."""


def main(arguments: list[str] | None = None) -> int:
    """Build and test the slug; exit code 1 if a step fails."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.slug", description="Build and test the slug that would be deployed."
    )
    parser.add_argument("--this-python", action="store_true", help="use this interpreter, not that of runtime.txt")
    options = parser.parse_args(arguments)
    try:
        copy_kept_files(ROOT, SLUG)
        buildpack.build(SLUG, python=Path(sys.executable) if options.this_python else None)
        check_imports(SLUG)
        print(run_release(SLUG).strip())
        seconds = check_service(SLUG)
        unpacked, compressed = measure_size(SLUG)
        print(f"slug: {unpacked:.0f} MB unpacked, {compressed:.0f} MB compressed, first answer after {seconds:.2f} s")
        check_size(unpacked, compressed)
    except DeployError as error:
        print(f"slug: {error}", file=sys.stderr)
        return 1
    return 0


def copy_kept_files(root: Path, slug: Path) -> None:
    """Copy the files of a checkout that .slugignore does not exclude into an empty folder."""
    shutil.rmtree(slug, ignore_errors=True)
    for path in kept_files(root):
        target = slug / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / path, target)


def check_imports(slug: Path) -> None:
    """Raise DeployError if one of FORBIDDEN can be imported in the slug."""
    code = f"import importlib.util as u; print(*[n for n in {FORBIDDEN!r} if u.find_spec(n)])"
    found = buildpack.run("the import check", ["python", "-c", code], slug).split()
    if found:
        raise DeployError(
            f"{', '.join(found)} can be imported in the slug; remove it from requirements.in, or name it in .slugignore"
        )


def check_service(slug: Path) -> float:
    """Start the web command and post the golden rows; returns seconds from start to the first correct answer."""
    golden = load_model(slug / "artifacts" / "model.onnx").contract.golden
    dyno = start_web(slug)
    try:
        wait_until_ready(dyno.url, dyno.process, dyno.started)
        check_answers(dyno.url, golden)
        return time.monotonic() - dyno.started
    finally:
        dyno.stop()


def check_answers(base: str, golden: Golden) -> None:
    """Post the golden rows to /predict; raises DeployError if a probability differs from the exported one."""
    response = httpx.post(f"{base}/predict", json={"data": golden.applicants}, trust_env=False)
    if response.status_code != 200:
        raise DeployError(f"POST /predict answered {response.status_code}, expected 200: {response.text}")
    pairs = zip(response.json(), golden.probability, strict=True)
    if any(abs(actual - expected) > GOLDEN_TOLERANCE for actual, expected in pairs):
        raise DeployError(f"POST /predict answered {response.text}, expected {list(golden.probability)}")


def measure_size(slug: Path) -> tuple[float, float]:
    """Megabytes of a slug, unpacked and as a .tgz (without the interpreter)."""
    files = [path for path in slug.rglob("*") if path.is_file() and not path.is_symlink()]
    archive = slug.with_suffix(".tgz")
    with tarfile.open(archive, "w:gz", compresslevel=6) as packed:
        packed.add(slug, arcname="slug")
    return sum(path.stat().st_size for path in files) / 1e6, archive.stat().st_size / 1e6


def check_size(unpacked: float, compressed: float) -> None:
    """Raise DeployError if a slug exceeds MAX_MB or MAX_COMPRESSED_MB."""
    if unpacked > MAX_MB or compressed > MAX_COMPRESSED_MB:
        raise DeployError(
            f"the slug has {unpacked:.0f} MB, {compressed:.0f} MB compressed, expected at most {MAX_MB} and "
            f"{MAX_COMPRESSED_MB}; find what has grown in {SLUG}, or let bin/prune.py remove more"
        )


if __name__ == "__main__":
    sys.exit(main())
