"""The rules of a card as rules of the contract: names become columns, words become indices of levels."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from model.contract import MAX_MAGNITUDE
from model.inputs import Input
from model.messages import quote_value
from model.rules import COMPARE, Compares, Condition, IsMissing, IsOneOf, Joined, Rule
from train.card import CardField
from train.card_rules import CardCondition, CardRule, Multiple, Number
from train.errors import TrainingError, shorten

MAX_NAME, MAX_REASON = 80, 200
"""Characters of a rule's name and of its reason text."""

CONTROLS = ("Cc", "Cs", "Zl", "Zp")
"""Unicode categories of line breaks and other characters that not every door could carry."""


def make_rules(rules: Sequence[CardRule], inputs: Mapping[str, CardField]) -> tuple[Rule, ...]:
    """The rules of a card; `inputs`: the model's fields in order. Raises TrainingError for the first fault."""
    for number, rule in enumerate(rules):
        if rule.name in [other.name for other in rules[:number]]:
            raise TrainingError(
                f"the card has two rules named {rule.name!r}; a rule's name is in its answers: rename one"
            )
        for key, text, longest in (("name", rule.name, MAX_NAME), ("reason", rule.reason, MAX_REASON)):
            _check_text(f"the rule {quote_value(rule.name)} has the {key} {quote_value(text)}", text, longest)
        if ";" in rule.name:
            raise TrainingError(
                f"the rule {rule.name!r} has a semicolon in its name, which separates rules in tables; take it out"
            )
    return tuple(
        Rule(rule.name, rule.decision, rule.reason, _join(rule, rule.name, inputs), rule.date) for rule in rules
    )


def _check_text(found: str, text: str, longest: int) -> None:
    if len(text) > longest or text != text.strip() or any(unicodedata.category(one) in CONTROLS for one in text):
        raise TrainingError(
            f"{found}, expected at most {longest} characters in one line, without blanks around them; shorten it"
        )


def find_input(name: str, inputs: Mapping[str, CardField], user: str) -> Input:
    """An input by its name; `user`: what refers to it, for the message. Raises TrainingError."""
    if name not in inputs:
        raise TrainingError(
            f"{user} refers to {quote_value(name)}, which is no input of the model; its inputs are "
            f"{shorten(list(inputs), 12)}. Fields with use = false, such as protected ones, decide nothing"
        )
    return Input(name, list(inputs).index(name), inputs[name].missing)


def find_number(name: str, inputs: Mapping[str, CardField], user: str) -> Input:
    """As find_input, for a number."""
    found = find_input(name, inputs, user)
    if inputs[name].kind != "number":
        raise TrainingError(f"{user} needs a number, and {name!r} is a category; of a category test in or not_in")
    return found


def _join(source: CardRule | CardCondition, rule: str, inputs: Mapping[str, CardField]) -> Condition:
    """`all` or `any` of a rule or a condition."""
    if bool(source.all) == bool(source.any):
        found = "both all and any" if source.all else "neither all nor any, or an empty list"
        where = "" if isinstance(source, CardRule) else ", in a condition without a field"
        raise TrainingError(
            f"the rule {rule!r} has {found}{where}; give one of all = [conditions] and any = [conditions]"
        )
    parts = tuple(_read(part, rule, inputs) for part in source.all or source.any)
    return parts[0] if len(parts) == 1 else Joined("all" if source.all else "any", parts)


def _read(condition: CardCondition, rule: str, inputs: Mapping[str, CardField]) -> Condition:
    user = f"the rule {rule!r}"
    if condition.field is None:
        return _join(condition, rule, inputs)
    if condition.all or condition.any:
        raise TrainingError(f"{user} has a condition with a field and with all or any; write them as two conditions")
    tests: list[Condition] = []
    for comparison in COMPARE:
        limit = getattr(condition, comparison)
        if limit is not None:
            tests.append(_compare(condition.field, comparison, limit, user, inputs))
    found = find_input(condition.field, inputs, user)
    for words, negated in ((condition.is_in, False), (condition.not_in, True)):
        if words is not None:
            tests.append(IsOneOf(found, _encode(words, condition.field, user, inputs), negated))
    if condition.missing:
        tests.append(IsMissing(found))
    if not tests:
        raise TrainingError(
            f"{user} has a condition on {condition.field!r} without a test; give one of {', '.join(COMPARE)}, in, "
            "not_in, missing = true"
        )
    return tests[0] if len(tests) == 1 else Joined("all", tuple(tests))


def _compare(
    field: str, comparison: str, limit: Number | Multiple, user: str, inputs: Mapping[str, CardField]
) -> Compares:
    times = find_number(limit.field, inputs, user) if isinstance(limit, Multiple) else None
    value = limit.times if isinstance(limit, Multiple) else limit
    if not abs(value) <= MAX_MAGNITUDE:
        raise TrainingError(
            f"{user} compares {field!r} with {quote_value(value)}, expected a number within ±{MAX_MAGNITUDE:g}"
        )
    _check_exact(value, user)
    return Compares(find_number(field, inputs, user), comparison, float(value), times)  # type: ignore[arg-type]


def _check_exact(number: Number, user: str) -> None:
    if float(number) != number:
        raise TrainingError(
            f"{user} has the number {number}, which a float64 can't hold: it would be {float(number):.0f}; write that "
            "one, or make the field a category"
        )


def _encode(words: Sequence[str | Number], name: str, user: str, inputs: Mapping[str, CardField]) -> tuple[float, ...]:
    """Numbers as they are, levels as their indices."""
    field = inputs[name]
    if not words:
        raise TrainingError(f"{user} has an empty list for {name!r}; name the values")
    known: dict[str | Number, float] = {level: float(index) for index, level in enumerate(field.levels)}
    if field.kind == "number":
        known = {word: float(word) for word in words if not isinstance(word, str) and abs(word) <= MAX_MAGNITUDE}
    for word in words:
        if word not in known:
            expected = shorten(list(field.levels), 12) if field.levels else f"numbers within ±{MAX_MAGNITUDE:g}"
            raise TrainingError(f"{user} names {quote_value(word)} for {name!r}, expected {expected}")
        if not isinstance(word, str):
            _check_exact(word, user)
        if field.kind == "number" and word in field.missing:
            raise TrainingError(
                f"{user} names {word:g} for {name!r}, which means a missing value there; write missing = true"
            )
    return tuple(known[word] for word in words)
