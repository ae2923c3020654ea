"""`make slug` checks the size, the imports and the answers of a slug."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from deploy.errors import DeployError
from deploy.slug import (
    MAX_COMPRESSED_MB,
    MAX_MB,
    check_answers,
    check_imports,
    check_size,
    copy_kept_files,
    measure_size,
)
from model.contract import Golden
from tests.deploy.conftest import ServeJson


def test_the_kept_files_are_copied_to_an_empty_folder(tmp_path: Path) -> None:
    """Without the files of an earlier build and those that .slugignore excludes."""
    checkout, slug = tmp_path / "checkout", tmp_path / "slug"
    subprocess.run(["git", "init", "--quiet", str(checkout)], check=True)
    (checkout / "serve").mkdir()
    for name in ("serve/app.py", "notes.md"):
        (checkout / name).write_text("x")
    (checkout / ".slugignore").write_text("*.md\n")
    slug.mkdir()
    (slug / "old.py").touch()

    copy_kept_files(checkout, slug)

    assert sorted(path.relative_to(slug).as_posix() for path in slug.rglob("*") if path.is_file()) == [
        ".slugignore",
        "serve/app.py",
    ]


def test_a_training_library_in_the_slug_is_an_error(empty_slug: Path) -> None:
    """It names the module."""
    check_imports(empty_slug)
    (empty_slug / "train").mkdir()
    (empty_slug / "train" / "__init__.py").touch()

    with pytest.raises(DeployError, match=r"^train can be imported in the slug"):
        check_imports(empty_slug)


def test_the_size_is_that_of_the_files_and_of_the_archive(tmp_path: Path) -> None:
    """In megabytes."""
    slug = tmp_path / "slug"
    slug.mkdir()
    (slug / "zeros").write_bytes(bytes(3_000_000))

    unpacked, compressed = measure_size(slug)

    assert unpacked == 3.0
    assert 0 < compressed < 0.1


@pytest.mark.parametrize(("unpacked", "compressed"), [(MAX_MB + 1, 1), (1, MAX_COMPRESSED_MB + 1)])
def test_a_slug_that_is_too_large_is_an_error(unpacked: float, compressed: float) -> None:
    """It shows both limits."""
    check_size(MAX_MB, MAX_COMPRESSED_MB)
    with pytest.raises(DeployError, match=f"expected at most {MAX_MB} and {MAX_COMPRESSED_MB}"):
        check_size(unpacked, compressed)


@pytest.mark.parametrize(("answer", "message"), [("[0.5]", "expected"), ("[0.25, 0.5]", None)])
def test_answers_that_differ_are_an_error(serve_json: ServeJson, answer: str, message: str | None) -> None:
    """Also another number of probabilities, and another status."""
    golden = Golden(((1.0,), (2.0,)), (0.25, 0.5), (0, 1))
    with serve_json({"predict": answer}) as url:
        if message is None:
            check_answers(url, golden)
        else:
            with pytest.raises((DeployError, ValueError)):
                check_answers(url, golden)
    with serve_json({}) as url, pytest.raises(DeployError, match="answered 404"):
        check_answers(url, golden)
