"""Every text is there in every language, and each is used."""

from __future__ import annotations

import json
import re
import string
from pathlib import Path

import pytest

from client.answers import Field, Model
from client.language import LANGUAGES, Language, language_for, plain_language, read_texts

FOLDERS = ("client/languages", "serve/static")


def places(text: str) -> set[str]:
    """The {placeholders} of a text."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_text_is_missing_in_any_language(root: Path, folder: str) -> None:
    """Same keys, same placeholders, nothing empty; a key that stands twice in a file is found too."""
    texts = {}
    for path in sorted((root / folder).glob("*.json")):
        pairs = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=list)
        texts[path.stem] = dict(pairs)
        assert len(pairs) == len(texts[path.stem]), path

    assert {"en", "fr"} <= texts.keys()
    for texts_of_one in texts.values():
        assert texts["en"].keys() == texts_of_one.keys()
        assert all(text for key, text in texts_of_one.items() if key != "group")
        assert {k: places(t) for k, t in texts["en"].items()} == {k: places(t) for k, t in texts_of_one.items()}


@pytest.mark.parametrize(
    ("folder", "sources"),
    [
        ("client/languages", ["client/**/*.py"]),
        ("serve/static", ["serve/home.py", "serve/static/*.js", "serve/static/*.html"]),
    ],
)
def test_every_text_is_used_and_every_text_used_is_there(root: Path, folder: str, sources: list[str]) -> None:
    """A key is the whole literal, or begins as a literal that is completed at run time."""
    code = "\n".join(path.read_text(encoding="utf-8") for pattern in sources for path in root.glob(pattern))
    keys = json.loads((root / folder / "en.json").read_text(encoding="utf-8")).keys()
    begun = set(re.findall(r"[\"'`]([a-z]+\.|[a-z]+\.[a-z]+_)(?:\{|\$\{)", code))

    unused = {
        key
        for key in keys
        # `<key>_help` goes with `<key>`.
        if key.removesuffix("_help") == key or key.removesuffix("_help") not in keys
        if not re.search(rf"[\"'`{{]{re.escape(key)}[\"'`}}]", code) and not key.startswith(tuple(begun))
    }
    asked = set(re.findall(r"say\(\"([a-z_.]+)\"", code)) | set(re.findall(r"{{([a-z]+(?:\.[a-z_]+)+)}}", code))

    assert set() == unused
    assert set() == asked - keys


def test_the_words_of_credit_data_are_translated(root: Path) -> None:
    """Every label, unit, level and reason of its card that the model uses."""
    words = json.loads((root / "data" / "credit_data.fr.json").read_text(encoding="utf-8"))
    card = (root / "data" / "credit_data.toml").read_text(encoding="utf-8")
    asked = set()
    for section in re.split(r"^\[fields\.", card, flags=re.M)[1:]:
        if "use = false" not in section:
            asked |= set(re.findall(r'^(?:label|unit|reason) = "(.+)"', section, re.M))
            for levels in re.findall(r"^levels = \[(.*)\]", section, re.M):
                asked |= set(re.findall(r'"(.+?)"', levels))

    assert asked == words.keys()


def test_numbers_shares_and_days_are_written_as_people_do(english: Language, french: Language) -> None:
    """With the separators of the language."""
    written = [(one.number(1234.5), one.percent(0.1234), one.signed(-7), one.signed(0)) for one in (english, french)]

    assert [("1,234.5", "12.3%", "−7", "0"), ("1\u202f234,5", "12,3\xa0%", "−7", "0")] == written


@pytest.mark.parametrize("value", [1e300, 1e15, float("inf")])
def test_a_number_that_people_never_write_is_short(english: Language, value: float) -> None:
    """No line of zeros."""
    assert len(english.number(value)) < 10


def test_an_unknown_language_is_english() -> None:
    """Whatever the address says."""
    assert ["en", "en", "fr"] == [plain_language(code).code for code in ("xx", None, "fr")]
    assert LANGUAGES.keys() >= {"en", "fr"}


def test_words_come_from_the_contract_else_from_the_file_beside_the_table(model: Model, tmp_path: Path) -> None:
    """And a word that nobody translated stays as it is."""
    (tmp_path / "test.fr.json").write_text('{"Income": "Revenu"}', encoding="utf-8")
    told = Model(
        **{name: getattr(model, name) for name in model.__struct_fields__}
        | {"translations": {"fr": {"Income": "Salaire"}}}
    )

    assert "Revenu" == language_for("fr", model, tmp_path).word("Income")
    assert "Salaire" == language_for("fr", told, tmp_path).word("Income")
    assert "Income" == language_for("en", model, tmp_path).word("Income")


def test_a_value_is_said_with_its_unit_or_as_not_known(french: Language, fields: tuple[Field, ...]) -> None:
    """A level is translated."""
    said = [french.value(value, field) for value, field in zip((1300.0, None, "rent"), fields, strict=True)]

    assert ["1\u202f300 EUR", "non renseigné", "locataire"] == said
    assert read_texts("fr")["value.missing"] == said[1]
