"""`make run` records decisions, and `make client` may read them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

PRINT_SETTINGS = """#!/bin/sh
[ "$1" = -c ] && exec python3 "$@"
env | grep -E '^(DECISIONS|CREDIT)_' | sort
"""
"""Stands for Python and Streamlit: shows the settings that a target gives them."""


@pytest.fixture
def checkout(root: Path, tmp_path: Path) -> Path:
    """A folder with the Makefile, and an environment whose programs print their settings."""
    shutil.copy(root / "Makefile", tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("python", "streamlit"):
        (tmp_path / ".venv" / "bin" / name).write_text(PRINT_SETTINGS)
        (tmp_path / ".venv" / "bin" / name).chmod(0o755)
    return tmp_path


def make(checkout: Path, target: str, **settings: str) -> dict[str, str]:
    """The settings with which a target runs its program."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("DECISIONS", "CREDIT_", "MAKE"))}
    # -o: as if these were made already.
    command = ["make", "--silent", "-o", "artifacts/.trained", "-o", ".venv/client", target]
    done = subprocess.run(command, cwd=checkout, env=own | settings, capture_output=True, text=True, check=True)
    return dict(re.findall(r"^(\w+)=(.*)$", done.stdout, re.MULTILINE))


def test_the_page_has_the_key_of_the_service(checkout: Path) -> None:
    """It is made once, and only its owner can read the file."""
    service, page = make(checkout, "run"), make(checkout, "client")

    key = (checkout / ".decisions-key").read_text().strip()
    assert re.fullmatch("[0-9a-f]{48}", key)
    assert (checkout / ".decisions-key").stat().st_mode & 0o777 == 0o600
    assert service == {"DECISIONS_URL": "sqlite:///decisions.db", "DECISIONS_KEYS": f"officer={key}"}
    assert page == {"CREDIT_API_KEY": key}


def test_settings_of_the_environment_are_kept(checkout: Path) -> None:
    """An empty DECISIONS_URL records nothing."""
    service = make(checkout, "run", DECISIONS_URL="", DECISIONS_KEYS="chief=0123456789abcdef")

    assert service == {"DECISIONS_URL": "", "DECISIONS_KEYS": "chief=0123456789abcdef"}
    assert make(checkout, "client", CREDIT_API_KEY="") == {"CREDIT_API_KEY": ""}


def test_cleaning_keeps_what_is_on_record(checkout: Path) -> None:
    """Database, spool and key."""
    kept = ("decisions.db", "decisions.db-wal", ".decisions-key")
    for name in kept:
        (checkout / name).touch()
    (checkout / "decisions-spool").mkdir()

    make(checkout, "clean")

    assert sorted(path.name for path in checkout.iterdir()) == sorted(["Makefile", "decisions-spool", *kept])


@pytest.mark.parametrize("name", ["decisions.db", "decisions.db-wal", "decisions-spool/1.db", ".decisions-key"])
def test_records_and_key_are_not_committed(root: Path, name: str) -> None:
    """Git ignores them."""
    subprocess.run(["git", "check-ignore", "--quiet", name], cwd=root, check=True)
