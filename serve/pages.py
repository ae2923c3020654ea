"""The pages and their scripts: static files of this package, read once, served by the service itself.

They hold nothing of the model, ask the API for it like any other client, and load nothing from anywhere else.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from urllib.parse import parse_qs

from serve.exchange import Answer, Ask, Header, Reply
from serve.home import choose_language

FOLDER = Path(__file__).parent / "page"

POLICY: tuple[Header, ...] = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        b"base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)
"""With every page: whatever gets into it can't load, send or be framed."""

TYPES = {
    ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".json": b"application/json",
}


def show_file(name: str, ask: Ask) -> Reply:
    """One static file."""
    return Reply(_read(name), TYPES[Path(name).suffix], headers=POLICY)


def show_home(ask: Ask) -> Reply:
    """GET /: a page for people, in the language they ask for."""
    asked = parse_qs(ask.query.decode("latin-1")).get("lang", [None])[0]
    language = choose_language(asked, ask.header(b"accept-language").decode("latin-1"))
    headers = [*POLICY, (b"content-language", language.encode()), (b"vary", b"Accept-Language")]
    return Reply(ask.served.home.pages[language], TYPES[".html"], headers=headers)


def _read(name: str) -> bytes:
    if name not in _files:
        _files[name] = (FOLDER / name).read_bytes()
    return _files[name]


_files: dict[str, bytes] = {}

PAGES: dict[str, Answer] = {
    "/": show_home,
    "/page.js": partial(show_file, "page.js"),
    "/page.css": partial(show_file, "page.css"),
    "/docs": partial(show_file, "docs.html"),
    "/docs.js": partial(show_file, "docs.js"),
    "/docs.css": partial(show_file, "docs.css"),
}
