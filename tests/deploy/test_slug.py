"""What the platform would deploy is light, whole, and knows nothing of training."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from deploy.buildpack import HOME
from deploy.errors import DeployError
from deploy.slug import COMPRESSED_MB, UNPACKED_MB, check_answers, check_imports, check_weight, lay_out, weigh
from model.contract import Golden
from tests.deploy.conftest import ServeFolder


def test_the_kept_files_are_laid_out_anew(tmp_path: Path) -> None:
    """What an earlier build left is gone, what .slugignore names never comes."""
    checkout, slug = tmp_path / "checkout", tmp_path / "slug"
    subprocess.run(["git", "init", "--quiet", str(checkout)], check=True)
    (checkout / "serve").mkdir()
    for name in ("serve/app.py", "notes.md"):
        (checkout / name).write_text("x")
    (checkout / ".slugignore").write_text("*.md\n")
    slug.mkdir()
    (slug / "old.py").touch()

    lay_out(checkout, slug)

    assert [".slugignore", "serve/app.py"] == sorted(
        path.relative_to(slug).as_posix() for path in slug.rglob("*") if path.is_file()
    )


def test_training_in_the_slug_is_refused(empty_slug: Path) -> None:
    """A package or folder of training that could be imported there is named."""
    check_imports(empty_slug)
    (empty_slug / "train").mkdir()
    (empty_slug / "train" / "__init__.py").touch()

    with pytest.raises(DeployError, match=r"^train can be imported there"):
        check_imports(empty_slug)


def test_the_weight_is_that_of_the_files(tmp_path: Path) -> None:
    """Unpacked: the bytes of the files; compressed: of the archive."""
    slug = tmp_path / "slug"
    slug.mkdir()
    (slug / "zeros").write_bytes(bytes(3_000_000))

    unpacked, compressed = weigh(slug)

    assert 3.0 == unpacked
    assert 0 < compressed < 0.1


@pytest.mark.parametrize(("unpacked", "compressed"), [(UNPACKED_MB + 1, 1), (1, COMPRESSED_MB + 1)])
def test_a_slug_that_has_grown_fails(unpacked: float, compressed: float) -> None:
    """So that a new package earns its megabytes."""
    check_weight(UNPACKED_MB, COMPRESSED_MB)
    with pytest.raises(DeployError, match=f"expected at most {UNPACKED_MB} and {COMPRESSED_MB}"):
        check_weight(unpacked, compressed)


@pytest.mark.parametrize(("answer", "message"), [("[0.5]", "expected"), ("[0.25, 0.5]", None)])
def test_answers_that_differ_are_found(serve_folder: ServeFolder, answer: str, message: str | None) -> None:
    """Another number of answers counts as well, and so does an error."""
    golden = Golden(((1.0,), (2.0,)), (0.25, 0.5), (0, 1))
    with serve_folder({"predict": answer}) as url:
        if message is None:
            check_answers(url, golden)
        else:
            with pytest.raises((DeployError, ValueError)):
                check_answers(url, golden)
    with serve_folder({}) as url, pytest.raises(DeployError, match="answered 404"):
        check_answers(url, golden)


def test_the_environment_lies_inside_the_slug() -> None:
    """Where the platform has it."""
    assert Path(".heroku/python") == HOME
