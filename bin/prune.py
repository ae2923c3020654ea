"""Make a slug smaller and faster to start: remove unused files of packages, compile bytecode.

`bin/post_compile` runs it. Tests start the service without the files of PRUNED, and fail for a line that matches
nothing. Standard library only; `strip` of binutils removes debug symbols where it is installed.

Bytecode: the .pyc files that pip writes hold the modification times of their sources. The platform copies the
environment into its build cache without those times, so that from the second build on every .pyc is stale and each
start compiles again. `unchecked-hash` files (PEP 552) stay valid, which is safe since a slug's sources never change.
"""

from __future__ import annotations

import compileall
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from py_compile import PycInvalidationMode


@dataclass(frozen=True, slots=True)
class Unused:
    """A glob pattern of files or folders under site-packages, and why the service does not need them."""

    pattern: str
    why: str


PRUNED = (
    Unused(
        "onnxruntime/capi/libonnxruntime.so.*", "a second copy of the library, for C programs; Python loads _state.so"
    ),
    Unused("onnxruntime/transformers", "optimizer of language models"),
    Unused("onnxruntime/quantization", "quantization tools"),
    Unused("onnxruntime/tools", "model converters"),
    Unused("onnxruntime/datasets", "example models"),
    Unused("google/protobuf", "used by those tools only"),
    Unused("google/_upb", "compiled part of google/protobuf"),
    Unused("flatbuffers", "used by those tools only"),
    Unused("numpy/f2py", "wraps Fortran code"),
    Unused("numpy/_core/include", "headers for compiling extensions"),
    Unused("numpy/_core/lib", "libraries for compiling extensions"),
    Unused("numpy/random/lib", "libraries for compiling extensions"),
    Unused("**/tests", "tests of packages"),
    Unused("**/*.pyi", "type stubs"),
    Unused("**/*.pyx", "sources of compiled modules"),
    Unused("**/*.pxd", "headers of compiled modules"),
)

WITH_DEBUG_SYMBOLS = ("uvloop/*.so", "httptools/**/*.so")
"""Compiled modules with debug symbols; not those with libraries beside them, whose patched files `strip` may break."""

KEPT = ("pip",)
"""Packages that are never pruned: the buildpack needs them in the next build, which reuses this environment."""


def main() -> int:
    """Prune this interpreter's site-packages, compile them and the service; exit code 1 if compiling fails."""
    packages = Path(sysconfig.get_path("purelib"))
    saved = prune(packages) + strip(packages)
    is_compiled = compile_all([packages, Path("decisions"), Path("model"), Path("monitor"), Path("serve")])
    print(f"{saved / 1e6:.0f} MB of unused files removed, bytecode {'compiled' if is_compiled else 'NOT compiled'}")
    return 0 if is_compiled else 1


def prune(packages: Path) -> int:
    """Remove the files of PRUNED from a site-packages folder; returns the bytes saved, 0 if it was pruned before."""
    return sum(remove(path) for unused in PRUNED for path in find(unused, packages))


def strip(packages: Path) -> int:
    """Remove debug symbols from the compiled modules of a site-packages folder; returns the bytes saved."""
    program = shutil.which("strip")
    modules = [path for pattern in WITH_DEBUG_SYMBOLS for path in packages.glob(pattern)]
    if sys.platform != "linux" or program is None or not modules:
        return 0
    before = sum(path.stat().st_size for path in modules)
    subprocess.run([program, "--strip-debug", *modules], check=True)
    return before - sum(path.stat().st_size for path in modules)


def find(unused: Unused, packages: Path) -> list[Path]:
    """The files and folders of a site-packages folder that match one line of PRUNED."""
    found = sorted(packages.glob(unused.pattern))
    return [path for path in found if path.relative_to(packages).parts[0] not in KEPT]


def remove(path: Path) -> int:
    """Remove a file or folder and return its bytes; 0 if it is gone already, inside another folder that was removed."""
    if path.is_symlink() or path.is_file():
        size = path.lstat().st_size
        path.unlink()
        return size
    size = sum(file.lstat().st_size for file in path.rglob("*") if file.is_file())
    shutil.rmtree(path, ignore_errors=not path.exists())
    return size


def compile_all(folders: list[Path]) -> bool:
    """Compile every module under the folders again; returns False if one has a syntax error."""
    return all(
        compileall.compile_dir(
            str(folder),
            maxlevels=20,
            quiet=1,
            force=True,
            workers=0,
            invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        )
        for folder in folders
    )


if __name__ == "__main__":
    sys.exit(main())
