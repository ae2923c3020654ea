"""The pages, their scripts and style sheets."""

from __future__ import annotations

import re

import httpx
import pytest

from serve.api.pages import FILES, FOLDERS
from serve.home import STATIC_FOLDER

MAX_BYTES = 24_000
"""Maximum bytes of page, script and style sheet together, uncompressed."""


def test_home_names_model_and_routes(client: httpx.Client) -> None:
    """HTML with the model's name, training rows, metrics and links."""
    response = client.get("/")

    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    for words in (
        "test",
        "2026.01.02-abcdef01",
        "400",
        "AUC 0.875",
        "/score",
        "/predict",
        "model",
        "livez",
        "readyz",
    ):
        assert words in response.text


def test_page_script_and_style_are_served_with_their_types(client: httpx.Client) -> None:
    """With language and Vary headers; together they are a few kB."""
    page, script, style = (client.get(path) for path in ("/?lang=fr", "/page.js", "/page.css"))

    assert [answer.headers["content-type"] for answer in (page, script, style)] == [
        "text/html; charset=utf-8",
        "text/javascript; charset=utf-8",
        "text/css; charset=utf-8",
    ]
    assert (page.headers["content-language"], page.headers["vary"]) == ("fr", "Accept-Language")
    assert '<html lang="fr">' in page.text
    assert sum(len(answer.content) for answer in (page, script, style)) < MAX_BYTES


@pytest.mark.parametrize(
    ("path", "accepted", "language"), [("/", "fr", "fr"), ("/?lang=en", "fr", "en"), ("/", "", "en")]
)
def test_home_is_in_the_language_that_is_asked_for(
    client: httpx.Client, path: str, accepted: str, language: str
) -> None:
    """?lang= takes precedence over Accept-Language."""
    page = client.get(path, headers={"accept-language": accepted})

    assert page.headers["content-language"] == language


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_served_as_it_is(client: httpx.Client, name: str) -> None:
    """Under its name, with its media type and the security headers of a page."""
    answer = client.get(f"/{name}")

    assert answer.content == (FOLDERS.get(name, STATIC_FOLDER) / name).read_bytes()
    assert answer.headers["content-type"] == f"{FILES[name]}; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(("name", "path"), [("docs", "openapi.json"), ("monitor", "v1/monitor")])
def test_other_pages_are_static(client: httpx.Client, name: str, path: str) -> None:
    """Their scripts request what they show; the page itself holds nothing of the model."""
    answer = client.get(f"/{name}")

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.content == (STATIC_FOLDER / f"{name}.html").read_bytes()
    assert not re.search(r"<style|\son\w+=|\sstyle=|<script>", answer.text)
    assert path in client.get(f"/{name}.js").text
