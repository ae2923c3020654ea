"""`make slug`: build what the platform would deploy, start its Procfile, post applicants, print what it weighs.

The tree without .slugignore's files, requirements.txt alone in a fresh environment of the Python that
runtime.txt names (or this one, where that isn't installed).
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

import httpx

from serve.contract import Golden
from serve.model import GOLDEN_TOLERANCE, load_model

ROOT = Path(__file__).resolve().parent.parent
SLUG = ROOT / "build" / "slug"
FORBIDDEN = ("sklearn", "pandas", "scipy", "onnx", "skl2onnx", "joblib")
"""What the service must do without; also everything of train/."""

START_SECONDS = 30.0


class SlugError(Exception):
    """The slug is not what the platform could run; the message says why."""


def main() -> int:
    """Build, check, start, ask; exit code 1 and one sentence if any of it fails."""
    try:
        build()
        check_imports()
        run("release", [bin_path("python"), "-m", "serve.selftest"])
        seconds = try_service()
    except SlugError as error:
        print(f"slug: {error}", file=sys.stderr)
        return 1
    unpacked, compressed = weigh()
    print(f"slug: {unpacked:.0f} MB unpacked, {compressed:.0f} MB compressed, first answer after {seconds:.2f} s")
    return 0


def build() -> None:
    """Lay the tree and its environment out in build/slug."""
    shutil.rmtree(SLUG, ignore_errors=True)
    for path in kept_files():
        target = SLUG / "app" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target)
    python = find_python()
    print(f"slug: {subprocess.check_output([python, '-V'], text=True).strip()}, requirements.txt alone")
    run("environment", [python, "-m", "venv", str(SLUG / "env")])
    run("packages", [bin_path("python"), "-m", "pip", "install", "--quiet", "-r", "requirements.txt"])


def kept_files() -> list[str]:
    """The files of the checkout that .slugignore leaves, relative to its root."""
    listed = subprocess.check_output(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True
    ).split("\0")
    lines = [line.strip() for line in (ROOT / ".slugignore").read_text().splitlines()]
    patterns = [line for line in lines if line and not line.startswith("#")]
    return [path for path in listed if (ROOT / path).is_file() and not is_ignored(path, patterns)]


def is_ignored(path: str, patterns: list[str]) -> bool:
    """Whether a pattern of .slugignore leaves a path out: `/name` from the root, `name` or `*.ext` anywhere."""
    parts = PurePosixPath(path).parts
    for pattern in (pattern.rstrip("/") for pattern in patterns):
        if "/" in pattern:
            names = pattern.removeprefix("/")
            if fnmatch("/".join(parts[: names.count("/") + 1]), names):
                return True
        elif any(fnmatch(part, pattern) for part in parts):
            return True
    return False


def find_python() -> str:
    """The interpreter of runtime.txt if this machine has it, else the one that runs now."""
    wanted = (ROOT / "runtime.txt").read_text().strip().replace("-", "")
    found = shutil.which(wanted)
    if found and subprocess.run([found, "-V"], capture_output=True).returncode == 0:
        return found
    return sys.executable


def check_imports() -> None:
    """Raise SlugError if anything of training can be imported in the slug."""
    names = (*FORBIDDEN, "train")
    code = f"import importlib.util as u; print(*[n for n in {names!r} if u.find_spec(n)])"
    found = subprocess.check_output([bin_path("python"), "-c", code], cwd=SLUG / "app", text=True).split()
    if found:
        raise SlugError(f"{', '.join(found)} can be imported there; take it out of requirements.in, or off the tree")


def try_service() -> float:
    """Start the Procfile's web line, post the golden rows; returns seconds from start to the first right answer."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    honcho = [sys.executable, "-m", "honcho", "start", "--port", str(port), "web"]
    path = f"{SLUG / 'env' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "VIRTUAL_ENV": str(SLUG / "env")}
    started = time.monotonic()
    with subprocess.Popen(honcho, cwd=SLUG / "app", env=environment, start_new_session=True) as process:
        try:
            wait_until_ready(base, process, started)
            seconds = time.monotonic() - started
            check_answers(base, load_model(SLUG / "app" / "artifacts" / "model.onnx").contract.golden)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
    return seconds


def wait_until_ready(base: str, process: subprocess.Popen[bytes], started: float) -> None:
    """Ask /readyz until it answers; raises SlugError if the process ends or takes too long."""
    while time.monotonic() - started < START_SECONDS:
        if process.poll() is not None:
            raise SlugError(f"the web process ended with code {process.returncode} before it answered")
        try:
            httpx.get(f"{base}/readyz", trust_env=False).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.01)
        else:
            return
    raise SlugError(f"the web process didn't get ready within {START_SECONDS:g} s")


def check_answers(base: str, golden: Golden) -> None:
    """Post the golden rows to /predict; raises SlugError if an answer is not as exported."""
    answer = httpx.post(f"{base}/predict", json={"data": golden.applicants}, trust_env=False)
    if answer.status_code != 200:
        raise SlugError(f"POST /predict answered {answer.status_code}: {answer.text}")
    pairs = zip(answer.json(), golden.probability, strict=True)
    if any(abs(got - expected) > GOLDEN_TOLERANCE for got, expected in pairs):
        raise SlugError(f"POST /predict answered {answer.text}, expected {list(golden.probability)}")


def weigh() -> tuple[float, float]:
    """Megabytes of the slug, unpacked and as a compressed archive (tree and packages, without the interpreter)."""
    files = [path for path in SLUG.rglob("*") if path.is_file() and not path.is_symlink()]
    archive = SLUG.with_suffix(".tgz")
    with tarfile.open(archive, "w:gz", compresslevel=6) as slug:
        slug.add(SLUG, arcname="slug")
    return sum(path.stat().st_size for path in files) / 1e6, archive.stat().st_size / 1e6


def run(step: str, command: list[str]) -> None:
    """Run one step in the slug's tree; raises SlugError with what it printed if it fails."""
    done = subprocess.run(command, cwd=SLUG / "app", capture_output=True, text=True)
    if done.returncode != 0:
        raise SlugError(f"the step '{step}' failed: {(done.stderr or done.stdout).strip()}")


def bin_path(program: str) -> str:
    """A program of the slug's environment."""
    return str(SLUG / "env" / "bin" / program)


def free_port() -> int:
    """A port that nothing listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
