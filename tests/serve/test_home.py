"""Rendering of the home page: languages, security, escaping."""

from __future__ import annotations

import re

import msgspec
import pytest

from model.contract import Contract
from model.session import Model
from serve.home import LANGUAGES, choose_language, render_home


@pytest.mark.parametrize(
    ("requested", "accepted", "expected"),
    [
        (None, "", "en"),
        (None, "fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        (None, "de, fr;q=0.5", "fr"),
        (None, "fr;q=0.2, en;q=0.9", "en"),
        (None, "fr;q=0", "en"),
        (None, "*", "en"),
        (None, "fr;q=abc", "en"),
        (None, "fr;q=9", "en"),
        (None, "," * 100_000 + "fr", "en"),
        ("fr", "en", "fr"),
        ("en", "fr", "en"),
        ("../fr", "fr", "fr"),
        ("xx", "", "en"),
    ],
)
def test_the_address_chooses_the_language_before_the_browser(
    requested: str | None, accepted: str, expected: str
) -> None:
    """?lang=, then Accept-Language, then English, for any header."""
    assert choose_language(requested, accepted) == expected


def test_the_page_has_no_inline_code_and_only_relative_addresses(model: Model) -> None:
    """For a strict Content-Security-Policy, and for a path prefix of a proxy."""
    for page in render_home(model.contract).values():
        html = page.decode()
        assert not re.search(r"<style|\son\w+=|\sstyle=", html)
        assert re.findall(r"<script ([^>]*)>", html) == ['type="application/json" id="texts"', 'src="page.js" defer']
        assert not [link for link in re.findall(r'(?:href|src)="([^"]*)"', html) if link.startswith(("/", "http"))]
        assert not re.search(r"\{\{", html)


def test_texts_of_the_model_are_escaped(model: Model) -> None:
    """Name and version come from a file."""
    evil = "</script><script>alert(1)</script>"
    contract = msgspec.structs.replace(model.contract, name=evil, version=evil)

    for page in render_home(contract).values():
        assert b"alert(1)</script>" not in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_imported_model_shows_no_rows_and_no_metrics(model: Model, language: str) -> None:
    """It has none."""
    training = msgspec.structs.replace(model.contract.training, rows=0, holdout_rows=0)
    contract: Contract = msgspec.structs.replace(model.contract, training=training, metrics={})

    page = render_home(contract)[language].decode()

    assert "imported" in page if language == "en" else "importé" in page
    assert "AUC 0" not in page


@pytest.mark.parametrize(("is_recorded", "links"), [(False, 0), (True, 1)])
def test_the_monitor_is_linked_where_decisions_are_recorded(model: Model, is_recorded: bool, links: int) -> None:
    """In every language."""
    for page in render_home(model.contract, is_recorded=is_recorded).values():
        assert page.count(b'href="monitor"') == links
