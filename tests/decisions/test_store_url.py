"""DECISIONS_URL: which ones are taken, and that no message shows a password."""

from __future__ import annotations

import pytest

from decisions.store import StoreError, check_url, hide_password, open_store, resolve_url


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ""),
        ({"DECISIONS_URL": ""}, ""),
        ({"DECISIONS_URL": "sqlite:///decisions.db"}, "sqlite:///decisions.db"),
        ({"DECISIONS_URL": "DATABASE_URL", "DATABASE_URL": "postgres://u:p@h/d"}, "postgres://u:p@h/d"),
        ({"DECISIONS_URL": "HEROKU_POSTGRESQL_RED_URL", "HEROKU_POSTGRESQL_RED_URL": "postgres:///x"}, "postgres:///x"),
    ],
)
def test_a_url_may_stand_in_another_variable(environment: dict[str, str], expected: str) -> None:
    """DECISIONS_URL is the URL, or the name of the variable that has it."""
    assert resolve_url(environment) == expected


def test_the_name_of_a_missing_variable_is_an_error() -> None:
    """The message names it."""
    with pytest.raises(StoreError, match="DECISIONS_URL is 'DATABASE_URL', and no variable of that name is set"):
        resolve_url({"DECISIONS_URL": "DATABASE_URL", "DATABASE_URL": ""})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, "sqlite:///service.db"),
        ("", "sqlite:///service.db"),
        ("sqlite:///given.db", "sqlite:///given.db"),
        ("DATABASE_URL", "sqlite:///service.db"),
        ("DECISIONS_URL", "sqlite:///service.db"),
    ],
)
def test_an_option_takes_what_the_variable_takes(given: str | None, expected: str) -> None:
    """A URL, or the name of a variable that has it, DECISIONS_URL too, which may name another."""
    environment = {"DECISIONS_URL": "DATABASE_URL", "DATABASE_URL": "sqlite:///service.db"}

    assert resolve_url(environment, given, "--decisions") == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("NONE_URL", "--decisions is 'NONE_URL', and no variable of that name is set"),
        ("decisions.db", "--decisions begins with 'decisions.db', expected sqlite:///decisions.db"),
        ("postgresql://u:p@q@host/d", "--decisions can't be read, expected special characters"),
        ("OTHER_URL", "OTHER_URL begins with 'mysql', expected sqlite:///decisions.db"),
        ("OWN_URL", "OWN_URL begins with 'OWN_URL', expected sqlite:///decisions.db"),
    ],
)
def test_a_message_names_where_the_url_was_given(given: str, message: str) -> None:
    """The option, or the variable that it names."""
    with pytest.raises(StoreError, match=message):
        resolve_url({"OTHER_URL": "mysql://h/d", "OWN_URL": "OWN_URL"}, given, "--decisions")


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///decisions.db",
        "sqlite:////var/lib/credit/decisions.db",
        "postgres://u:p@host:5432/d",
        "postgresql://u:p%40%25@host/d?sslmode=require",
        "postgresql:///d?host=/run/postgresql",
    ],
)
def test_a_file_or_a_postgresql_database_is_taken(url: str) -> None:
    """A relative or absolute file; a server on the network or behind a socket."""
    check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///",
        "sqlite://decisions.db",
        "sqlite:///a\0b",
        "decisions.db",
        "mysql://user:SECRET@host/d",
        "postgresql://user:SECRET@part@host/d",
        "postgresql://user:SECRET%@host/d",
        "postgresql://user:SECRET%zz@host/d",
        "postgresql://user:SECRET@[::1/d",
        "SECRET",
    ],
)
def test_any_other_url_is_refused_without_showing_a_password(url: str) -> None:
    """Also one that libpq would misread."""
    with pytest.raises(StoreError, match=r"DECISIONS_URL.*expected") as caught:
        check_url(url)
    assert "SECRET" not in str(caught.value).replace("begins with 'SECRET'", "")


@pytest.mark.parametrize(
    "url", ["postgresql://user:SECRET@127.0.0.1:1/d", "postgresql://127.0.0.1:1/d?password=SECRET"]
)
def test_a_database_that_does_not_answer_is_named_without_its_password(url: str) -> None:
    """By host and database."""
    assert hide_password(url) == "postgresql://127.0.0.1/d"
    with pytest.raises(StoreError, match=r"postgresql://127\.0\.0\.1/d") as caught:
        open_store(url)
    assert "SECRET" not in str(caught.value)
