"""Texts of every language file, formats of numbers and dates, translations of a model."""

from __future__ import annotations

import json
import re
import string
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from client.language import LANGUAGES, Language, add_translations, read_language
from client.responses import Field, Model

FOLDERS = ("client/languages", "serve/static")


def placeholders(text: str) -> set[str]:
    """The {placeholders} of a text."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("folder", FOLDERS)
def test_languages_have_the_same_texts(root: Path, folder: str) -> None:
    """Keys and placeholders are equal, no text is empty, and no key is repeated in a file."""
    texts = {}
    for path in sorted((root / folder).glob("*.json")):
        pairs = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=list)
        texts[path.stem] = dict(pairs)
        assert len(pairs) == len(texts[path.stem]), path

    assert {"en", "fr"} <= texts.keys()
    for texts_of_one in texts.values():
        assert texts_of_one.keys() == texts["en"].keys()
        assert all(text for key, text in texts_of_one.items() if key != "group")
        assert {k: placeholders(t) for k, t in texts_of_one.items()} == {
            k: placeholders(t) for k, t in texts["en"].items()
        }


@pytest.mark.parametrize(
    ("folder", "sources"),
    [
        ("client/languages", ["client/**/*.py"]),
        ("serve/static", ["serve/home.py", "serve/static/*.js", "serve/static/*.html"]),
    ],
)
def test_every_text_is_used_and_every_key_in_the_code_exists(root: Path, folder: str, sources: list[str]) -> None:
    """A key is a whole literal, or starts with a literal that is completed at run time."""
    code = "\n".join(path.read_text(encoding="utf-8") for pattern in sources for path in root.glob(pattern))
    keys = json.loads((root / folder / "en.json").read_text(encoding="utf-8")).keys()
    prefixes = set(re.findall(r"[\"'`]([a-z]+\.|[a-z]+\.[a-z]+_)(?:\{|\$\{)", code))

    unused = {
        key
        for key in keys
        # The code derives `<key>_help` from `<key>`.
        if key.removesuffix("_help") == key or key.removesuffix("_help") not in keys
        if not re.search(rf"[\"'`{{]{re.escape(key)}[\"'`}}]", code) and not key.startswith(tuple(prefixes))
    }
    used = set(re.findall(r"[tT]ext\(\"([a-z_.]+)\"", code)) | set(re.findall(r"{{([a-z]+(?:\.[a-z_]+)+)}}", code))

    assert unused == set()
    assert used - keys == set()


def test_credit_data_is_translated_completely(root: Path) -> None:
    """Its French file has every label, unit, level and reason of the fields that the model uses, and nothing else."""
    translations = json.loads((root / "data" / "credit_data.fr.json").read_text(encoding="utf-8"))
    card = (root / "data" / "credit_data.toml").read_text(encoding="utf-8")
    texts = set()
    for section in re.split(r"^\[fields\.", card, flags=re.M)[1:]:
        if "use = false" not in section:
            texts |= set(re.findall(r'^(?:label|unit|reason) = "(.+)"', section, re.M))
            for levels in re.findall(r"^levels = \[(.*)\]", section, re.M):
                texts |= set(re.findall(r'"(.+?)"', levels))

    assert translations.keys() == texts


def test_numbers_and_percentages_have_the_separators_of_the_language(english: Language, french: Language) -> None:
    """French has a narrow no-break space for thousands and a decimal comma."""
    written = [(one.number(1234.5), one.percent(0.1234), one.signed(-7), one.signed(0)) for one in (english, french)]

    assert written == [("1,234.5", "12.3%", "−7", "0"), ("1\u202f234,5", "12,3\xa0%", "−7", "0")]


@pytest.mark.parametrize("value", [1e300, 1e15, float("inf")])
def test_a_huge_number_is_short(english: Language, value: float) -> None:
    """It is written with an exponent."""
    assert len(english.number(value)) < 10


def test_an_unknown_language_is_english() -> None:
    """A query string may ask for any."""
    assert [read_language(code).code for code in ("xx", None, "fr")] == ["en", "en", "fr"]
    assert LANGUAGES.keys() >= {"en", "fr"}


def test_translations_come_from_the_contract_else_from_a_file(model: Model, tmp_path: Path) -> None:
    """A text without a translation is unchanged."""
    (tmp_path / "test.fr.json").write_text('{"Income": "Revenu"}', encoding="utf-8")
    translated = replace(model, translations={"fr": {"Income": "Salaire"}})
    english, french = read_language("en"), read_language("fr")

    assert add_translations(french, model, tmp_path).translate("Income") == "Revenu"
    assert add_translations(french, translated, tmp_path).translate("Income") == "Salaire"
    assert add_translations(english, model, tmp_path).translate("Income") == "Income"


def test_a_value_has_its_unit_or_is_not_known(french: Language, fields: tuple[Field, ...]) -> None:
    """A level is translated."""
    written = [french.value(value, field) for value, field in zip((1300.0, None, "rent"), fields, strict=True)]

    assert written == ["1\u202f300 EUR", "non renseigné", "locataire"]


def test_a_moment_has_the_time_of_the_zone(english: Language, french: Language) -> None:
    """And says which."""
    zone = ZoneInfo("Europe/Paris")

    written = [one.moment("2026-01-02T23:04:05.000000Z", zone) for one in (english, french)]

    assert written == ["Jan 3, 2026, 00:04 (CET)", "3 janv. 2026, 00:04 (CET)"]


def test_texts_of_an_older_model_are_translated_by_its_own_contract(model: Model, french: Language) -> None:
    """Without translations of its own, by those of the model in service."""
    older = replace(model, translations={"fr": {"rent": "loue"}})

    assert french.of_model(older).translate("rent") == "loue"
    assert french.of_model(model).translate("rent") == "locataire"
