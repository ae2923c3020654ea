"""The dataset card: what people know about a table, as typed and validated values.

Read by every step of training. Its keys are documented in data/README.md; an unknown key is refused, so that a typing
error can't silently switch a constraint off.
"""

from __future__ import annotations

import datetime
import math
import unicodedata
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import tomli_w
from msgspec import Meta, Struct, structs

from model.contract import MAX_MAGNITUDE
from model.dialect import DialectOptions
from model.messages import quote_value
from model.policy import Points
from train.card_rules import CardRule
from train.card_scorecard import CardBinning, CardScorecard, find_binning_faults
from train.errors import TrainingError
from train.time_formats import make_format, parse_since

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Cost = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(gt=0, lt=1)]
CardValue = str | int | float | bool

HOLDOUT_SHARE = 0.2
"""Share of the rows that are held out, unless the card says another."""

BadCells = Literal["stop", "missing"]
"""What a cell that is no number means in a field of numbers: training stops, or it counts as missing."""

VALUES = {
    "bad_cells": "stop or missing",
    "decimal": "'.' or ','",
    "decision": "review or refuse",
    "kind": "number or category",
    "missing": "true",
    "risk": "increases or decreases",
}
"""Key → the values that it may have."""

UNRECORDED = "decisions are recorded without it."
"""Note of a protected field of a model that is trained on decisions on record."""


class CardDataset(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The table: its file, target, columns that are no inputs, source and licence, and how it is read.

    `drop_unlabelled`: rows without an outcome are left out. `separator`, `decimal`, `encoding`: of a text table; found
    from the file if absent. `time`: when each applicant applied; the newest rows are then the hold-out, from `since` on
    or a share `holdout` of the rows. `time_format`: how it is written, as in strptime; found if absent. `weight`: how
    many applicants each row stands for. `group`: rows of one group, such as a person, are never both fitted and
    measured on. `accepted`: who was accepted, with `accepted_value`, found if absent; the others are no training rows.
    """

    name: Name
    path: str
    target: str
    default: CardValue
    id: str | None = None
    source: str = ""
    licence: str = ""
    drop_unlabelled: bool = False
    bad_cells: BadCells = "stop"
    separator: str | None = None
    decimal: Literal[".", ","] | None = None
    encoding: str | None = None
    time: str | None = None
    time_format: str | None = None
    since: str | None = None
    holdout: Share = HOLDOUT_SHARE
    weight: str | None = None
    group: str | None = None
    accepted: str | None = None
    accepted_value: CardValue | None = None

    @property
    def roles(self) -> dict[str, str]:
        """What the columns that are no fields are → their names."""
        named = {"target": self.target, "id": self.id, "time": self.time, "weight": self.weight, "group": self.group}
        named["accepted"] = self.accepted
        return {role: column for role, column in named.items() if column is not None}

    @property
    def dialect(self) -> DialectOptions:
        """How the table is written."""
        return DialectOptions(self.separator, self.decimal, self.encoding)


class CardPolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """Costs of a wrong decision, all in one unit, or the owner's threshold; and the scale of the points.

    `threshold`: refuse from this probability of default on, instead of what follows from costs. `exposure`, `lgd`,
    `margin`: expected profit decides, instead of costs: the amount of each loan, a field or a number; the share of it
    that a default loses; the share that a good loan earns, a field or a number. `prior`, `trained_rate`: of an imported
    model, the default rate of its population and of its weighted training rows. `rules`: knock-outs and limits.
    """

    cost_default: Cost | None = None
    cost_good: Cost | None = None
    cost_review: Cost | None = None
    threshold: Share | None = None
    prior: Share | None = None
    trained_rate: Share | None = None
    exposure: str | float | None = None
    lgd: float | None = None
    margin: str | float | None = None
    rules: tuple[CardRule, ...] = ()
    points: Points = Points()

    @property
    def has_rule(self) -> bool:
        """Whether it states what decides: a threshold, costs, or an exposure."""
        return (self.threshold, self.cost_default, self.cost_good, self.exposure) != (None,) * 4


class CardField(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One column of the table; `risk`: how the risk changes when the value grows.

    `allow`: it is known at application, however well it alone tells the outcome, and its unusual values are real.
    `missing`: numbers that stand for a missing value. `segment`: the report has the figures of each of its groups.
    `binning`: its bins in a scorecard.
    `start` and `end`, in the card `from` and `to`: it isn't a column, but the days from one column of dates to another.
    """

    label: str
    kind: Literal["number", "category"]
    unit: str = ""
    levels: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    nullable: bool = False
    risk: Literal["increases", "decreases"] | None = None
    reason: str = ""
    changeable: bool = False
    use: bool = True
    allow: bool = False
    note: str = ""
    missing: tuple[float, ...] = ()
    segment: bool = False
    start: str | None = msgspec.field(default=None, name="from")
    end: str | None = msgspec.field(default=None, name="to")
    binning: CardBinning | None = None


class Card(Struct, frozen=True, forbid_unknown_fields=True):
    """A dataset card; the order of `fields` is the order of the model's input."""

    dataset: CardDataset
    fields: dict[str, CardField]
    policy: CardPolicy = CardPolicy()
    scorecard: CardScorecard = CardScorecard()

    @property
    def inputs(self) -> dict[str, CardField]:
        """The model's inputs, in order, without the protected fields."""
        return {name: field for name, field in self.fields.items() if field.use}

    @property
    def names(self) -> list[str]:
        """The columns that the table must have."""
        dates = [column for field in self.inputs.values() for column in (field.start, field.end) if column is not None]
        columns = [name for name, field in self.inputs.items() if field.start is None]
        return list(dict.fromkeys([*self.dataset.roles.values(), *columns, *dates]))


def read_card(path: Path) -> Card:
    """Read and validate a card.

    Raises TrainingError if the file is absent, isn't TOML, or holds an invalid value.
    """
    try:
        card = msgspec.toml.decode(path.read_bytes(), type=Card)
    except OSError as error:
        raise TrainingError(
            f"can't read the card {path}: {error.strerror}; give the path of a .toml file, "
            "or infer a card with: python -m train --data FILE --target COLUMN"
        ) from error
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        key = str(error).rpartition(".")[2].rstrip("`")
        expected = f", expected {VALUES[key]}" if "Invalid enum value" in str(error) and key in VALUES else ""
        raise TrainingError(
            f"the card {path} can't be used: {error}{expected}; its keys are in data/README.md"
        ) from error
    check_card(card)
    return card


def check_card(card: Card) -> None:
    """Raise TrainingError for the first invalid entry of the card."""
    inputs = card.inputs
    if not inputs:
        raise TrainingError("the card has no field with use = true; a model needs at least one input")
    for part in (card.dataset, card.policy, card.policy.points):
        for key, value in structs.asdict(part).items():
            if isinstance(value, float) and not math.isfinite(value):
                raise TrainingError(f"the card has {key} = {value}, expected a finite number")
    policy = card.policy
    if policy.threshold is not None and (policy.cost_default, policy.cost_good, policy.cost_review) != (None,) * 3:
        raise TrainingError(
            f"the card has threshold = {policy.threshold:g} and costs, which give a threshold of their own; remove one"
        )
    _check_money(policy)
    roles = card.dataset.roles
    for role, column in roles.items():
        if column in card.fields:
            raise TrainingError(f"the card lists its {role} {column!r} among the fields; remove [fields.{column}]")
        if (other := next(one for one, name in roles.items() if name == column)) != role:
            raise TrainingError(f"the card names {column!r} as its {other} and as its {role}; a column has one role")
    if card.dataset.accepted_value is not None and card.dataset.accepted is None:
        raise TrainingError("the card has accepted_value but no accepted; name the column: accepted = …")
    _check_time(card)
    for name, field in card.fields.items():
        check_name(name)
        for fault in _faults(field):
            raise TrainingError(f"field {name!r} of the card {fault}")


def _check_money(policy: CardPolicy) -> None:
    stated = {"exposure": policy.exposure, "lgd": policy.lgd, "margin": policy.margin}
    if set(stated.values()) == {None}:
        return
    if None in stated.values():
        absent = ", ".join(name for name, value in stated.items() if value is None)
        raise TrainingError(f"the card's policy needs exposure, lgd and margin together; add {absent}")
    if (policy.cost_default, policy.cost_good, policy.threshold) != (None,) * 3:
        raise TrainingError(
            "the card has an exposure and cost_default, cost_good or threshold; both decide: remove one of them"
        )
    for name, value in stated.items():
        if not isinstance(value, str | None) and not 0 < value <= (MAX_MAGNITUDE if name == "exposure" else 1):
            expected = "an amount above 0" if name == "exposure" else "a share of the exposure, above 0 and at most 1"
            field = "" if name == "lgd" else ", or the name of a field"
            raise TrainingError(f"the card has {name} = {value:g}, expected {expected}{field}")


def _check_time(card: Card) -> None:
    dataset = card.dataset
    has_dates = dataset.time is not None or any(field.start is not None for field in card.fields.values())
    if (dataset.since is not None and dataset.time is None) or (dataset.time_format is not None and not has_dates):
        raise TrainingError("the card has since or time_format but no time; name the column of times: time = …")
    if dataset.since is not None:
        parse_since(dataset.since)
    if dataset.time_format is not None:
        make_format(dataset.time_format)


def _faults(field: CardField) -> list[str]:
    """The faults of one field, each as the end of a sentence."""
    low, high = field.minimum, field.maximum
    checks = {
        "has no reason text; write in plain words why it raises the risk: reason = …": field.use and not field.reason,
        "is a category without levels; list them: levels = […]": field.use
        and field.kind == "category"
        and not field.levels,
        "lists a level twice": len(set(field.levels)) < len(field.levels),
        "is a number and has levels; remove them or set kind = 'category'": field.kind == "number"
        and bool(field.levels),
        "is a category and has bounds or a direction of risk, which only numbers may have; remove them": field.kind
        == "category"
        and (low is not None or high is not None or field.risk is not None),
        "has a bound that is no finite number; give a number, or leave the bound out": not all(
            bound is None or math.isfinite(bound) for bound in (low, high)
        ),
        "has only one of from and to; a duration is from one column of dates to another": (field.start is None)
        != (field.end is None),
        "has the same column as from and to; name two columns of dates": field.start is not None
        and field.start == field.end,
        "is a category and has from and to, which make a number of days; set kind = 'number'": field.kind == "category"
        and field.start is not None,
        "has segment = true and no levels; list them: levels = […]": field.segment
        and field.kind == "category"
        and not field.levels,
        "is a category and has numbers that mean missing; remove missing, or set kind = 'number'": field.kind
        == "category"
        and bool(field.missing),
        "has a number that means missing and isn't finite or is beyond ±1e100; correct missing": not all(
            abs(number) <= MAX_MAGNITUDE for number in field.missing
        ),
        f"has minimum {low} above maximum {high}": low is not None and high is not None and low > high,
    }
    found = [fault for fault, is_broken in checks.items() if is_broken]
    return found if field.binning is None else found + find_binning_faults(field.binning, field.kind, field.levels)


def check_name(name: str) -> None:
    """Raise TrainingError for the name of a column that not every door could carry."""
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in name):
        raise TrainingError(
            f"the column {quote_value(name)} has a line break or another control character in its name; rename it"
        )
    if name != name.strip() or not name:
        raise TrainingError(f"the column {quote_value(name)} has blanks around its name; remove them from the card")


def format_card(card: Card) -> bytes:
    """The card as TOML, ready to be edited; `read_card` reads it back unchanged."""
    return tomli_w.dumps(_without_none(msgspec.to_builtins(card, builtin_types=(datetime.date,)))).encode()


def _without_none(value: dict[str, object]) -> dict[str, object]:
    # TOML has no null, so that absent values are left out.
    return {
        key: _without_none(item) if isinstance(item, dict) else item
        for key, item in value.items()
        if item not in (None, [], {})
    }
