"""Texts, numbers and dates in the reader's language: texts from client/languages/, formats from Babel.

Texts of a model (labels, units, levels, reasons) come from its dataset card. Their translations come from GET /model
(`translations`), else from the file `<model>.<language>.json` beside the table of applicants; a text without a
translation is shown as in the card.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo
from functools import cache
from pathlib import Path

from babel.dates import format_date
from babel.numbers import format_decimal, format_percent

from client.responses import Field, Model, Value

FOLDER = Path(__file__).resolve().parent / "languages"
LANGUAGES: dict[str, str] = {path.stem: path.stem.upper() for path in sorted(FOLDER.glob("*.json"))}
"""Language code → its label on the switch; one language per file."""

DEFAULT = "en"


@dataclass(frozen=True, slots=True)
class Language:
    """`texts`: key → text of the user interface; `translations`: text of the dataset card → its translation."""

    code: str
    texts: Mapping[str, str]
    translations: Mapping[str, str] = field(default_factory=dict)

    def text(self, key: str, **values: object) -> str:
        """The text of a key with its {placeholders} filled in."""
        return self.texts[key].format(**values)

    def translate(self, text: str) -> str:
        """A text of the dataset card in this language, or unchanged if it has no translation."""
        return self.translations.get(text, text)

    def number(self, value: float) -> str:
        """A number with the separators of the language: 1,300.5 or 1 300,5."""
        if not math.isfinite(value) or abs(value) >= 1e15:
            return f"{value:g}"
        return format_decimal(value, "#,##0.######", locale=self.code)

    def amount(self, value: float) -> str:
        """An amount of money: 1,300, −138, and cents where it is less than 100: 12.50."""
        if abs(value) >= 1e15:
            return f"{value:g}"
        pattern = "#,##0.00" if abs(value) < 100 else "#,##0"
        return format_decimal(value, pattern, locale=self.code).replace("-", "\u2212")

    def signed(self, value: int) -> str:
        """A whole number with its sign: +12, −7, 0."""
        return f"{value:+d}".replace("-", "\u2212") if value else "0"

    def percent(self, share: float) -> str:
        """A share between 0 and 1 as a percentage with one decimal: 26.4% or 26,4 %."""
        return format_percent(share, self.texts["percent_pattern"], locale=self.code)

    def day(self, when: date) -> str:
        """A date with the name of the month."""
        return format_date(when, "long", locale=self.code)

    def moment(self, when: str, zone: tzinfo) -> str:
        """A time in RFC 3339 as date and time of day in a time zone: 'Jan 2, 2026, 04:04 (UTC+01:00)'."""
        local = datetime.fromisoformat(when).astimezone(zone)
        return f"{format_date(local, 'medium', locale=self.code)}, {local:%H:%M} ({local:%Z})"

    def of_model(self, model: Model) -> Language:
        """The language with the translations in the contract of this model; as it is if that has none."""
        translations = model.translations.get(self.code)
        return replace(self, translations=translations) if translations else self

    def value(self, value: Value, about: Field) -> str:
        """A value of a field as text: '2 years', 'rent', 'not known'."""
        if value is None or about.is_missing(value):
            return self.text("value.missing")
        if isinstance(value, str):
            return self.translate(value)
        return f"{self.number(value)} {self.translate(about.unit)}".rstrip()

    def label(self, about: Field) -> str:
        """The label of a field with its unit: 'Income (EUR)'."""
        label = self.translate(about.label)
        return f"{label} ({self.translate(about.unit)})" if about.unit else label


@cache
def read_language(code: str | None) -> Language:
    """The language of this code, without translations of a model; English if the code is unknown."""
    known = code if code in LANGUAGES else DEFAULT
    return Language(known, json.loads((FOLDER / f"{known}.json").read_text(encoding="utf-8")))


def add_translations(language: Language, model: Model, folder: Path) -> Language:
    """The language with the translations of a model: from its contract, else from the file in the folder."""
    path = folder / f"{Path(model.name).name}.{language.code}.json"
    return replace(language, translations=model.translations.get(language.code) or _read_translations(path))


def _read_translations(path: Path) -> Mapping[str, str]:
    try:
        translations: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return translations
