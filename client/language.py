"""The words, numbers and dates of one language: texts from client/languages/, formats from Babel.

The words of a model (labels, units, levels, reasons) come from its card. Their translations come with GET /model
(`translations`), or else from a file beside the table of applicants, `<model>.<language>.json`; a word without a
translation is shown as the card has it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path

from babel.dates import format_date
from babel.numbers import format_decimal, format_percent

from client.answers import Field, Model, Value

FOLDER = Path(__file__).resolve().parent / "languages"
LANGUAGES: dict[str, str] = {path.stem: path.stem.upper() for path in sorted(FOLDER.glob("*.json"))}
"""Code → what the switch shows; one file, one language."""

DEFAULT = "en"


@dataclass(frozen=True, slots=True)
class Language:
    """`texts`: key → text of this client; `words`: a word of the card → the same in this language."""

    code: str
    texts: Mapping[str, str]
    words: Mapping[str, str] = field(default_factory=dict)

    def say(self, key: str, **values: object) -> str:
        """The text of a key with its {placeholders} filled in."""
        return self.texts[key].format(**values)

    def word(self, text: str) -> str:
        """A word of the card in this language, or as it is."""
        return self.words.get(text, text)

    def number(self, value: float) -> str:
        """A number as people write it here: 1,300.5 or 1 300,5."""
        if not math.isfinite(value) or abs(value) >= 1e15:
            return f"{value:g}"
        return format_decimal(value, "#,##0.######", locale=self.code)

    def signed(self, value: int) -> str:
        """A whole number with its sign: +12, −7, 0."""
        return f"{value:+d}".replace("-", "\u2212") if value else "0"

    def percent(self, share: float) -> str:
        """A share of 1 with one decimal: 26.4% or 26,4 %."""
        return format_percent(share, self.texts["percent_pattern"], locale=self.code)

    def day(self, when: date) -> str:
        """A date in words."""
        return format_date(when, "long", locale=self.code)

    def value(self, value: Value, about: Field) -> str:
        """A value of a field in words: '2 years', 'rent', 'not known'."""
        if value is None:
            return self.say("value.missing")
        if isinstance(value, str):
            return self.word(value)
        return f"{self.number(value)} {self.word(about.unit)}".rstrip()

    def label(self, about: Field) -> str:
        """The label of a field with its unit: 'Income (EUR)'."""
        return f"{self.word(about.label)} ({self.word(about.unit)})" if about.unit else self.word(about.label)


@cache
def read_texts(code: str) -> Mapping[str, str]:
    """The texts of one language: key → text."""
    texts: dict[str, str] = json.loads((FOLDER / f"{code}.json").read_text(encoding="utf-8"))
    return texts


def plain_language(code: str | None) -> Language:
    """A language that knows no model yet; an unknown code is English."""
    known = code if code in LANGUAGES else DEFAULT
    return Language(known, read_texts(known))


def language_for(code: str | None, model: Model, folder: Path) -> Language:
    """A language with the words of a model: from its contract, else from `<model>.<language>.json` in the folder."""
    language = plain_language(code)
    words = model.translations.get(language.code) or _read_words(
        folder / f"{Path(model.name).name}.{language.code}.json"
    )
    return Language(language.code, language.texts, words)


def _read_words(path: Path) -> Mapping[str, str]:
    try:
        words: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return words
