"""`make slug`: build what the platform would deploy, start its Procfile, post applicants, print what it weighs.

Fails if anything of training can be imported there, or if the slug weighs more than it may. `--this-python` takes
this interpreter instead of the one that runtime.txt names.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tarfile
import time
from pathlib import Path

import httpx

from deploy import buildpack
from deploy.dyno import run_release, start_web, wait_until_ready
from deploy.errors import DeployError
from deploy.slugignore import kept_files
from model.contract import Golden
from model.loading import GOLDEN_TOLERANCE, load_model

ROOT = Path(__file__).resolve().parent.parent
SLUG = ROOT / "build" / "slug"
FORBIDDEN = ("sklearn", "pandas", "scipy", "onnx", "skl2onnx", "joblib", "train")
"""What the service must do without."""

UNPACKED_MB, COMPRESSED_MB = 140, 45
"""The slug may weigh this much, without the interpreter itself."""


def main(arguments: list[str] | None = None) -> int:
    """Build, check, start, ask; exit code 1 and one sentence if any of it fails."""
    parser = argparse.ArgumentParser(prog="python -m deploy.slug", description="Build and try what would be deployed.")
    parser.add_argument("--this-python", action="store_true", help="use this interpreter, not that of runtime.txt")
    given = parser.parse_args(arguments)
    try:
        lay_out(ROOT, SLUG)
        buildpack.build(SLUG, python=Path(sys.executable) if given.this_python else None)
        check_imports(SLUG)
        print(run_release(SLUG).strip())
        seconds = try_service(SLUG)
        unpacked, compressed = weigh(SLUG)
        print(f"slug: {unpacked:.0f} MB unpacked, {compressed:.0f} MB compressed, first answer after {seconds:.2f} s")
        check_weight(unpacked, compressed)
    except DeployError as error:
        print(f"slug: {error}", file=sys.stderr)
        return 1
    return 0


def lay_out(root: Path, slug: Path) -> None:
    """Copy the files of a checkout that the platform keeps into an empty folder."""
    shutil.rmtree(slug, ignore_errors=True)
    for path in kept_files(root):
        target = slug / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / path, target)


def check_imports(slug: Path) -> None:
    """Raise DeployError if anything of training can be imported in the slug."""
    code = f"import importlib.util as u; print(*[n for n in {FORBIDDEN!r} if u.find_spec(n)])"
    found = buildpack.run("imports", ["python", "-c", code], slug).split()
    if found:
        raise DeployError(f"{', '.join(found)} can be imported there; take it out of requirements.in, or off the tree")


def try_service(slug: Path) -> float:
    """Start the Procfile's web line, post the golden rows; returns seconds from start to the first right answer."""
    golden = load_model(slug / "artifacts" / "model.onnx").contract.golden
    dyno = start_web(slug)
    try:
        wait_until_ready(dyno.url, dyno.process, dyno.started)
        check_answers(dyno.url, golden)
        return time.monotonic() - dyno.started
    finally:
        dyno.stop()


def check_answers(base: str, golden: Golden) -> None:
    """Post the golden rows to /predict; raises DeployError if an answer is not as exported."""
    answer = httpx.post(f"{base}/predict", json={"data": golden.applicants}, trust_env=False)
    if answer.status_code != 200:
        raise DeployError(f"POST /predict answered {answer.status_code}: {answer.text}")
    pairs = zip(answer.json(), golden.probability, strict=True)
    if any(abs(got - expected) > GOLDEN_TOLERANCE for got, expected in pairs):
        raise DeployError(f"POST /predict answered {answer.text}, expected {list(golden.probability)}")


def weigh(slug: Path) -> tuple[float, float]:
    """Megabytes of a slug, unpacked and as a compressed archive (tree and packages, without the interpreter)."""
    files = [path for path in slug.rglob("*") if path.is_file() and not path.is_symlink()]
    archive = slug.with_suffix(".tgz")
    with tarfile.open(archive, "w:gz", compresslevel=6) as packed:
        packed.add(slug, arcname="slug")
    return sum(path.stat().st_size for path in files) / 1e6, archive.stat().st_size / 1e6


def check_weight(unpacked: float, compressed: float) -> None:
    """Raise DeployError if a slug weighs more than it may."""
    if unpacked > UNPACKED_MB or compressed > COMPRESSED_MB:
        raise DeployError(
            f"the slug has {unpacked:.0f} MB, {compressed:.0f} MB compressed, expected at most {UNPACKED_MB} and "
            f"{COMPRESSED_MB}; see what has grown under {SLUG}, and what bin/prune.py could leave out"
        )


if __name__ == "__main__":
    sys.exit(main())
