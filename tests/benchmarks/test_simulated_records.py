"""`python -m benchmarks.simulated_records`: a year of a simulated lender, in an empty database only."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks import simulated_records
from benchmarks.decisions_store import fill
from decisions.store import open_store


def test_a_database_with_records_is_refused(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second run would double the lender."""
    url = f"sqlite:///{tmp_path}/simulated.db"
    with closing(open_store(url)) as store:
        fill(store, content, 3)
    monkeypatch.setattr(sys, "argv", ["simulated_records", url])

    with pytest.raises(SystemExit, match="2"):
        simulated_records.main()

    assert "the database has 3 records, expected an empty one: give another URL" in capsys.readouterr().err
    with closing(open_store(url)) as store:
        assert list(store.query("SELECT count(*) FROM records")) == [(3,)]
