"""Renders GET /: the home page with the facts of the model and a form to try it.

serve/static/index.html is filled in at start, once for each language file. Script and style sheet are separate files,
because the page's Content-Security-Policy allows no inline code; page.js builds the form from GET /model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path

from model.contract import Contract

STATIC_FOLDER = Path(__file__).resolve().parent / "static"

DEFAULT_LANGUAGE = "en"
LANGUAGES = tuple(sorted(path.stem for path in STATIC_FOLDER.glob("*.json")))
"""The languages of the page: one JSON file of texts each."""

METRICS = ("auc", "gini", "ks", "brier")
"""Metrics shown on the page, if the model has them, in this order."""

_PLACEHOLDER = re.compile(r"\{\{([a-z_.]+)\}\}")


def render_home(contract: Contract, *, is_recorded: bool = False) -> dict[str, bytes]:
    """Language → the page, UTF-8; raises KeyError for a placeholder without a text.

    `is_recorded`: whether decisions are, so that there is something to see at GET /monitor.
    """
    template = (STATIC_FOLDER / "index.html").read_text(encoding="utf-8")
    return {language: _render(template, contract, language, is_recorded) for language in LANGUAGES}


def choose_language(requested: str | None, accept_language: str) -> str:
    """The language of ?lang=, else the preferred one of Accept-Language (RFC 9110, 12.5.4), else English."""
    if requested in LANGUAGES:
        return requested
    ranked = []
    for position, part in enumerate(accept_language[:1000].split(",")):
        tag, _, weight = part.partition(";q=")
        code = tag.strip()[:2].lower()
        if code in LANGUAGES and re.fullmatch(r"\s*[01](\.\d{0,3})?\s*", weight or "1"):
            ranked.append((-float(weight or 1), position, code))
    return min(ranked)[2] if ranked and min(ranked)[0] < 0 else DEFAULT_LANGUAGE


def _render(template: str, contract: Contract, language: str, is_recorded: bool) -> bytes:
    texts: dict[str, str] = json.loads((STATIC_FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    # In the script element of the texts, "</" could end the element.
    values = {key: escape(text) for key, text in texts.items()} | {
        "lang": language,
        "texts": json.dumps(texts, ensure_ascii=False).replace("</", "<\\/"),
        "name": escape(contract.name),
        "version": escape(contract.version),
        "trained_at": escape(contract.trained_at),
        "day": escape(contract.trained_at[:10]),
        "data": escape(_describe_data(contract, texts)),
        "quality": escape(_describe_quality(contract, texts)),
        "monitor": f'<li><a href="monitor">{escape(texts["more.monitor"])}</a></li>' if is_recorded else "",
    }
    return _PLACEHOLDER.sub(lambda match: values[match[1]], template).encode()


def _describe_data(contract: Contract, texts: Mapping[str, str]) -> str:
    rows = contract.training.rows
    return texts["data.rows"].format(rows=_group(rows, texts)) if rows else texts["data.imported"]


def _describe_quality(contract: Contract, texts: Mapping[str, str]) -> str:
    measured = [
        f"{texts[f'quality.{name}']} {contract.metrics[name]:.3f}".replace(".", texts["decimal"])
        for name in METRICS
        if name in contract.metrics
    ]
    if not measured:
        return texts["quality.none"]
    rows = _group(contract.training.holdout_rows, texts)
    return texts["quality.line"].format(metrics=", ".join(measured), rows=rows)


def _group(number: int, texts: Mapping[str, str]) -> str:
    return f"{number:,}".replace(",", texts["group"])
