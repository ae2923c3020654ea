"""docs/decisions.md: its queries run, on the database that each one names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from decisions.chain import Chain
from decisions.ids import IdSource
from decisions.reading import read_time
from decisions.record import Entry
from decisions.store import ModelFile, Store, open_store

FIELDS = '[{"name": "Home", "kind": "category", "levels": ["own", "rent"]}, {"name": "Debt", "kind": "number"}]'


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """A database with two refused applicants of last March, one of whom was accepted by a person and defaulted."""
    with closing(open_store(url)) as store:
        store.migrate()
        store.put_model(ModelFile("aa", "credit", "1", FIELDS, b""), 0)
        chain, ids, time = Chain(store), IdSource().reserve(4), read_time("2026-03-05")
        refused = [
            Entry(
                id=ids[number],
                kind="decision",
                time=time,
                payload=f'{{"id": "A-{number}", "inputs": [1.0, {debt}]}}',
                model="aa",
                applicant=f"A-{number}",
                probability=0.5,
                decision="refuse",
                points=500,
                reasons=4,
            )
            for number, debt in enumerate((2000.5, 3.0))
        ]
        chain.append(refused)
        review = '{"who": "Smith", "reason": "salary"}'
        chain.append([Entry(ids[2], "review", time, review, subject=ids[0], applicant="A-0", decision="accept")])
        outcome = '{"date": "2026-06-01", "defaulted": true, "amount_lost": 9}'
        chain.append([Entry(ids[3], "outcome", time, outcome, subject=ids[0], applicant="A-0")])
        yield store


def ask(store: Store, root: Path, word: str) -> list[list[tuple[Any, ...]]]:
    """The rows of each statement of the block of docs/decisions.md whose comment begins with this word."""
    blocks = re.findall(
        r"^```sql\n-- (.*?)^```", (root / "docs" / "decisions.md").read_text(), re.DOTALL | re.MULTILINE
    )
    (block,) = [block for block in blocks if block.startswith(word)]
    return [list(store.query(statement)) for statement in block.partition("\n")[2].split(";") if statement.strip()]


def test_refused_applicants_with_a_high_debt(store: Store, root: Path, request: pytest.FixtureRequest) -> None:
    """By a field of the inputs, which has the value as it was given."""
    is_sqlite = "sqlite" in request.node.callspec.id

    ((row,),) = ask(store, root, "SQLite" if is_sqlite else "PostgreSQL")

    assert row[1:] == ("A-0", 0.5, 2000.5 if is_sqlite else "2000.5")


def test_overruled_models_and_outcomes(store: Store, root: Path) -> None:
    """The same statements on both databases."""
    overruled, outcomes = ask(store, root, "Either")

    assert overruled == [("1", 1, 1)]
    assert [(word, bool(defaulted), *rest) for word, defaulted, *rest in outcomes] == [("refuse", True, 1, 0.5, 9.0)]
