"""What `bin/post_compile` does in the slug: prune packages, compile bytecode. Standard library only.

A slug has a size and a start time: both matter to a small dyno. Each line of PRUNED says what goes and why the
service can do without it. Tests start the service without it, and fail for a line that finds nothing any more.

Bytecode: pip compiles as it installs, but its .pyc files are tied to the modification times of their sources. The
platform copies the environment into its build cache without keeping those times, so that from the second build on
every .pyc of every package is stale, and each start compiles anew. Files of the kind `unchecked-hash` (PEP 552) are
tied to nothing: the sources of a slug never change.
"""

from __future__ import annotations

import compileall
import shutil
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from py_compile import PycInvalidationMode


@dataclass(frozen=True, slots=True)
class Surplus:
    """Files or folders under site-packages, as a pattern of pathlib's glob, and why nothing that serves needs them."""

    pattern: str
    why: str


PRUNED = (
    Surplus(
        "onnxruntime/capi/libonnxruntime.so.*", "a second copy of the library, for programs in C; ours is _state.so"
    ),
    Surplus("onnxruntime/transformers", "rewrites language models"),
    Surplus("onnxruntime/quantization", "makes graphs of 8 bits"),
    Surplus("onnxruntime/tools", "converters and the like"),
    Surplus("onnxruntime/datasets", "three example graphs"),
    Surplus("google/protobuf", "read by those tools alone"),
    Surplus("google/_upb", "the same, compiled"),
    Surplus("flatbuffers", "read by those tools alone"),
    Surplus("numpy/f2py", "wraps Fortran"),
    Surplus("numpy/_core/include", "headers to compile extensions with"),
    Surplus("numpy/_core/lib", "the same, libraries"),
    Surplus("numpy/random/lib", "the same, of random numbers"),
    Surplus("**/tests", "tests of packages"),
    Surplus("**/*.pyi", "type stubs"),
    Surplus("**/*.pyx", "sources of compiled modules"),
    Surplus("**/*.pxd", "the same, their headers"),
)

KEPT = ("pip",)
"""Packages of the buildpack, not ours: it needs them whole in the next build, which starts from this environment."""


def main() -> int:
    """Prune this interpreter's site-packages, compile them and the service; the exit code is 1 if that fails."""
    packages = Path(sysconfig.get_path("purelib"))
    saved = prune(packages)
    is_compiled = compile_all([packages, Path("model"), Path("serve")])
    print(f"{saved / 1e6:.0f} MB of packages left out, bytecode {'compiled' if is_compiled else 'NOT compiled'}")
    return 0 if is_compiled else 1


def prune(packages: Path) -> int:
    """Remove what PRUNED names under a site-packages folder; returns the bytes saved, 0 if it was pruned before."""
    return sum(remove(path) for surplus in PRUNED for path in find(surplus, packages))


def find(surplus: Surplus, packages: Path) -> list[Path]:
    """What one line of PRUNED names under a site-packages folder."""
    found = sorted(packages.glob(surplus.pattern))
    return [path for path in found if path.relative_to(packages).parts[0] not in KEPT]


def remove(path: Path) -> int:
    """Remove a file or a folder; returns its bytes. A folder inside one that was removed before is no fault."""
    if path.is_symlink() or path.is_file():
        size = path.lstat().st_size
        path.unlink()
        return size
    size = sum(file.lstat().st_size for file in path.rglob("*") if file.is_file())
    shutil.rmtree(path, ignore_errors=not path.exists())
    return size


def compile_all(folders: list[Path]) -> bool:
    """Compile every module under some folders, whatever was compiled before; False if one can't be."""
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
