"""Applicants at the limits of a policy's rules: for the golden rows, and for the proof of an export."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from msgspec import structs

from model.contract import Field
from model.policy import Policy
from model.rules import Compares, Condition, IsMissing, IsOneOf, Joined, Rule
from train.dataset import Matrix

Test = Compares | IsOneOf | IsMissing

MAX_GOLDEN_ROWS = 128
"""At most so many of the golden rows are there for the rules."""

FLIPS = {"below": -np.inf, "at_least": -np.inf, "at_most": np.inf, "above": np.inf}
"""Comparison → on which side of its limit the outcome is another than at the limit."""


def choose_rule_rows(
    policy: Policy, fields: Sequence[Field], bases: Matrix, score: Callable[[Matrix], Matrix]
) -> Matrix:
    """Rows at the limits of each rule, so that a file whose rules were edited decides another way on one of them.

    bases: float64, shape (m, n_fields), of which each test of a rule takes the one that shows most: rows where the rule
    alone decides, and rows where it would if it held. `score`: probabilities of rows, (k, n_fields) → (k,).
    """
    chosen = [bases[:0]]
    for number, rule in enumerate(policy.rules):
        rest = structs.replace(policy, rules=policy.rules[:number] + policy.rules[number + 1 :])
        for test, others in _list_tests(rule.when):
            made = [_place(test, others, fields, base, is_short=True) for base in bases]
            rows = np.concatenate(made)
            is_seen = (rest.decide(score(rows), rows) < rule.index).reshape(len(bases), -1)
            holds = rule.when.holds(rows).reshape(is_seen.shape)
            shown = is_seen.sum(axis=1) + is_seen.shape[1] * (
                (is_seen & holds).any(axis=1) & (is_seen & ~holds).any(axis=1)
            )
            chosen.append(made[int(shown.argmax())])
    return np.concatenate(chosen)[:MAX_GOLDEN_ROWS]


def draw_rule_rows(rules: Sequence[Rule], fields: Sequence[Field], bases: Matrix) -> Matrix:
    """Rows for each test of each rule and each base: at the limit and one ulp to either side, missing, by each code."""
    made = [
        _place(test, others, fields, base, is_short=False)
        for rule in rules
        for test, others in _list_tests(rule.when)
        for base in bases
    ]
    return np.concatenate([bases[:0], *made])


def _list_tests(condition: Condition) -> Iterator[tuple[Test, tuple[Condition, ...]]]:
    """Each test of a condition, and the others that must hold for the condition to depend on it."""
    if not isinstance(condition, Joined):
        yield condition, ()
        return
    for place, part in enumerate(condition.parts):
        beside = condition.parts[:place] + condition.parts[place + 1 :] if condition.join == "all" else ()
        for test, others in _list_tests(part):
            yield test, (*beside, *others)


def _place(test: Test, others: Sequence[Condition], fields: Sequence[Field], base: Matrix, *, is_short: bool) -> Matrix:
    """The base, float64, shape (n_fields,), with both outcomes of the test while the others hold; as many for any base.

    Values that a field doesn't take stay as they are in the base. `is_short`: a comparison has two rows.
    """
    row = base.copy()
    for condition in (*others, test):
        _satisfy(condition, fields, row)
    column = test.input.column
    values = _list_values(test, fields[column], row, is_short)
    rows = np.tile(row, (len(values), 1))
    for made, value in zip(rows, values, strict=True):
        _set(made, column, fields[column], value)
    return rows


def _list_values(test: Test, field: Field, row: Matrix, is_short: bool) -> list[float]:
    """Values of the test's input with both outcomes."""
    gaps = [np.nan, *field.missing]
    if isinstance(test, IsMissing):
        return [*gaps, _find_other(field, ())]
    if isinstance(test, IsOneOf):
        values = [*test.values, _find_other(field, test.values)]
    else:
        limit, flip = _find_limit(test, row), FLIPS[test.comparison]
        values = [limit, *(float(np.nextafter(limit, side)) for side in ((flip,) if is_short else (flip, -flip)))]
    return values if is_short else [*values, *gaps]


def _find_limit(test: Compares, row: Matrix) -> float:
    return test.value if test.times is None else test.value * float(row[test.times.column])


def _find_other(field: Field, values: Sequence[float]) -> float:
    """A known value of a field that is none of `values`; NaN if there is none."""
    candidates = [float(index) for index in range(len(field.levels))]
    if field.kind == "number":
        largest = max((abs(value) for value in (*values, *field.missing)), default=0.0)
        candidates = [bound for bound in (field.maximum, field.minimum) if bound is not None] + [1.0, largest + 1]
    return next((one for one in candidates if one not in values and one not in field.missing), np.nan)


def _satisfy(condition: Condition, fields: Sequence[Field], row: Matrix) -> None:
    """Change a row so that a condition holds, where the fields take such values."""
    if condition.holds(row[None, :])[0]:
        return
    if isinstance(condition, Joined):
        for part in condition.parts if condition.join == "all" else condition.parts[:1]:
            _satisfy(part, fields, row)
        return
    field = fields[condition.input.column]
    if isinstance(condition, IsMissing):
        value = np.nan
    elif isinstance(condition, IsOneOf):
        value = _find_other(field, condition.values) if condition.negated else condition.values[0]
    else:
        if condition.times is not None and np.isnan(condition.times.read(row[None, :])[0]):
            other = fields[condition.times.column]
            _set(row, condition.times.column, other, _find_other(other, ()))
        value = _find_limit(condition, row)
        if condition.comparison in ("below", "above"):
            value = float(np.nextafter(value, FLIPS[condition.comparison]))
    _set(row, condition.input.column, field, value)


def _set(row: Matrix, column: int, field: Field, value: float) -> None:
    if field.nullable if np.isnan(value) else field.kind == "category" or field.takes(value):
        row[column] = value
