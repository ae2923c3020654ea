"""GET /: a page for people: what this model is, and a form to try it.

serve/static/index.html is read once, at start, with the facts of the model and the texts of one language filled in: one
page for each language file. Script and style are files of their own, so that the page works under a policy that allows
nothing inline; the form is built in the browser, from GET /model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path

from model.contract import Contract

FOLDER = Path(__file__).resolve().parent / "static"

DEFAULT_LANGUAGE = "en"
LANGUAGES = tuple(sorted(path.stem for path in FOLDER.glob("*.json")))
"""One file, one language."""

QUALITIES = ("auc", "gini", "ks", "brier")
"""The metrics that the page names, in this order, where the model has them."""

_PLACE = re.compile(r"\{\{([a-z_.]+)\}\}")


def render_home(contract: Contract) -> dict[str, bytes]:
    """The page in each language, UTF-8, with what is known of the model; a place without a text is a KeyError."""
    template = (FOLDER / "index.html").read_text(encoding="utf-8")
    return {language: _fill(template, contract, language) for language in LANGUAGES}


def choose_language(asked: str | None, accepted: str) -> str:
    """The language of ?lang=, else the first of Accept-Language that there is (RFC 9110, 12.5.4), else English."""
    if asked in LANGUAGES:
        return asked
    ranked = []
    for place, part in enumerate(accepted[:1000].split(",")):
        tag, _, weight = part.partition(";q=")
        code = tag.strip()[:2].lower()
        if code in LANGUAGES and re.fullmatch(r"\s*[01](\.\d{0,3})?\s*", weight or "1"):
            ranked.append((-float(weight or 1), place, code))
    return min(ranked)[2] if ranked and min(ranked)[0] < 0 else DEFAULT_LANGUAGE


def _fill(template: str, contract: Contract, language: str) -> bytes:
    texts: dict[str, str] = json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    # Inside a script element "</" would end it, wherever it stands.
    filled = {key: escape(text) for key, text in texts.items()} | {
        "lang": language,
        "texts": json.dumps(texts, ensure_ascii=False).replace("</", "<\\/"),
        "name": escape(contract.name),
        "version": escape(contract.version),
        "trained_at": escape(contract.trained_at),
        "day": escape(contract.trained_at[:10]),
        "data": escape(_describe_data(contract, texts)),
        "quality": escape(_describe_quality(contract, texts)),
    }
    return _PLACE.sub(lambda place: filled[place[1]], template).encode()


def _describe_data(contract: Contract, texts: Mapping[str, str]) -> str:
    rows = contract.training.rows
    return texts["data.rows"].format(rows=_group(rows, texts)) if rows else texts["data.imported"]


def _describe_quality(contract: Contract, texts: Mapping[str, str]) -> str:
    known = [
        f"{texts[f'quality.{name}']} {contract.metrics[name]:.3f}".replace(".", texts["decimal"])
        for name in QUALITIES
        if name in contract.metrics
    ]
    if not known:
        return texts["quality.none"]
    rows = _group(contract.training.holdout_rows, texts)
    return texts["quality.line"].format(metrics=", ".join(known), rows=rows)


def _group(number: int, texts: Mapping[str, str]) -> str:
    return f"{number:,}".replace(",", texts["group"])
