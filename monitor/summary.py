"""Summary of what was decided lately, and whether applicants still resemble those that the model was trained on.

`Monitor` is the JSON of GET /v1/monitor. None stands where there is nothing to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from decisions.reading import write_time
from decisions.store import Store
from model.contract import Contract
from model.policy import Decision
from model.session import Model
from model.stability import SIGNIFICANT_SHIFT
from monitor.periods import Period, Periods
from monitor.reading import HOUR, WEEK, WEEKS, Tallies, count_records, find_monday
from monitor.shifts import FieldShift, Reference, compare_probabilities
from monitor.swaps import SwapLayout, shadow_series
from monitor.tally import DAY, SECOND, Layout, decisions_series, sum_counts

WINDOWS: tuple[tuple[Literal["hour", "day", "week"], int], ...] = (("hour", HOUR), ("day", DAY), ("week", WEEK))

DAYS = 28

MAX_NAMED = 3
"""Fields that the headline names."""


INCOMPLETE = 0.01
"""Share of the records that wait to be counted, above which the headline says so: fewer are there at any moment."""


class Volume(Struct, frozen=True):
    """Decisions of all models."""

    decisions: int
    accepted: int
    reviewed: int
    refused: int


class RuleCount(Struct, frozen=True):
    """How many decisions of the model in service, whose inputs are on record, a rule decided."""

    name: str
    decision: Decision
    decided: int


class Window(Struct, frozen=True):
    """Decisions of the model in service from `start` to `end`, RFC 3339; `volume` is of all models.

    It begins with a slot of ten minutes: an hour has 60 to 70 of them. `expected_probability`: the default rate of the
    training applicants. `rules`: of the model in service, in their order.
    """

    name: Literal["hour", "day", "week"]
    start: str
    end: str
    decisions: int
    accepted: int
    reviewed: int
    refused: int
    mean_probability: float | None
    expected_probability: float | None
    probability: FieldShift | None
    fields: list[FieldShift]
    volume: Volume
    rules: list[RuleCount] = []


class ChallengerSummary(Struct, frozen=True):
    """The last seven days of the model in the shadow.

    `swap_set`: rows are the champion's decisions, columns the challenger's. `shift`: the challenger's probabilities
    against the champion's on the same applicants. `since`: start of the seven days, RFC 3339.
    """

    name: str
    version: str
    sha256: str
    scored: int
    swap_set: list[list[int]]
    agreement: float | None
    mean_probability: float | None
    champion_mean_probability: float | None
    shift: FieldShift | None
    since: str


class ModelName(Struct, frozen=True):
    """Which model is meant."""

    name: str
    version: str
    sha256: str


class Monitor(Struct, frozen=True):
    """All that is shown of the model in service.

    `counted`, `waiting`: records that are in these figures, and that aren't yet. `fields`: how many are compared.
    `windows`: hour, day, week. `days`: the last 28. `weeks`: the last 26, from the first with decisions.
    """

    at: str
    counted: int
    waiting: int
    model: ModelName
    fields: int
    windows: list[Window]
    days: list[Period]
    weeks: list[Period]
    challenger: ChallengerSummary | None
    headline: str


def read_monitor(store: Store, model: Model, challenger_sha: str | None, now: int) -> Monitor:
    """The summary at a time, microseconds since 1970; raises StoreError."""
    at, shadow = now // SECOND, shadow_series(model.sha256, challenger_sha or "")
    names = {sha: ModelName(name, version, sha) for sha, name, version in store.query(_MODELS)}
    names[model.sha256] = ModelName(model.contract.name, model.contract.version, model.sha256)
    tallies = Tallies(store, shadow, at)
    reference = Reference(model.contract)
    windows = [_make_window(tallies, model, reference, name, seconds) for name, seconds in WINDOWS]
    periods = Periods(tallies, model, reference, {sha: name.version for sha, name in names.items()})
    today, monday, first = at // DAY * DAY, find_monday(at), tallies.first_day()
    first_week = monday + WEEK if first is None else max(find_monday(first), monday - (WEEKS - 1) * WEEK)
    counted, waiting = count_records(store)
    return Monitor(
        at=write_time(now),
        counted=counted,
        waiting=waiting,
        model=names[model.sha256],
        fields=reference.compared,
        windows=windows,
        days=periods.make(range(today - (DAYS - 1) * DAY, today + 1, DAY), DAY),
        weeks=periods.make(range(first_week, monday + 1, WEEK), WEEK),
        challenger=_summarize_challenger(tallies, model.contract, names, challenger_sha, shadow),
        headline=_write_headline(windows[-1], counted, waiting),
    )


def _make_window(
    tallies: Tallies, model: Model, reference: Reference, name: Literal["hour", "day", "week"], seconds: int
) -> Window:
    start, vector = tallies.sum_latest(decisions_series(model.sha256), seconds)
    tally = Layout(model.contract).read(vector)
    accepted, reviewed, refused = tally.by_decision.tolist()
    shifts = reference.measure(tally)
    all_models = map(decisions_series, tallies.list_models("decisions"))
    heads = [tallies.sum_latest(series, seconds)[1][: Layout(None).size] for series in all_models]
    by_all = Layout(None).read(sum_counts(heads)).by_decision.tolist()
    return Window(
        name=name,
        start=write_time(start * SECOND),
        end=write_time(tallies.at * SECOND),
        decisions=tally.decisions,
        accepted=accepted,
        reviewed=reviewed,
        refused=refused,
        mean_probability=tally.mean_probability,
        expected_probability=model.contract.expected_probability,
        probability=shifts.probability,
        fields=shifts.fields,
        volume=Volume(sum(by_all), *by_all),
        rules=[
            RuleCount(rule.name, rule.decision, decided)
            for rule, decided in zip(model.contract.policy.rules, tally.rules.tolist(), strict=True)
        ],
    )


def _summarize_challenger(
    tallies: Tallies, contract: Contract, names: Mapping[str, ModelName], sha256: str | None, shadow: str
) -> ChallengerSummary | None:
    if sha256 is None:
        return None
    start, vector = tallies.sum_latest(shadow, WEEK)
    swaps = SwapLayout(contract).read(vector)
    name = names.get(sha256, ModelName("", "", sha256))
    scored = swaps.scored
    return ChallengerSummary(
        name=name.name,
        version=name.version,
        sha256=sha256,
        scored=scored,
        swap_set=swaps.swap_set.tolist(),
        agreement=float(swaps.swap_set.trace()) / scored if scored else None,
        mean_probability=swaps.challenger_sum / scored if scored else None,
        champion_mean_probability=swaps.champion_sum / scored if scored else None,
        shift=compare_probabilities(contract, swaps.champion, swaps.challenger),
        since=write_time(start * SECOND),
    )


def _write_headline(week: Window, counted: int, waiting: int) -> str:
    """What the last seven days say, in a sentence; first whether records are missing in it."""
    found = _describe_week(week)
    if waiting <= INCOMPLETE * (counted + waiting):
        return found
    missing = f"The figures are incomplete, with {waiting:,} of {counted + waiting:,} records left to count."
    return f"{missing} So far: {found}" if week.decisions else missing


def _describe_week(week: Window) -> str:
    if not week.volume.decisions:
        return "No decision was made in the last 7 days."
    if not week.decisions:
        return "The model in service has made no decision in the last 7 days; others have."
    shifts = [shift for shift in (week.probability, *week.fields) if shift is not None]
    if not shifts:
        return "The model file has no distribution of its training applicants, so that a shift can't be measured."
    shifted = sorted((one for one in shifts if one.verdict != "stable"), key=lambda one: -one.psi)
    if shifted:
        named = [f"{one.label} ({one.verdict.removesuffix(' shift')})" for one in shifted[:MAX_NAMED]]
        others = len(shifted) - len(named)
        more = f" and {others} more" if others else ""
        return f"Shifted in the last 7 days against training: {', '.join(named)}{more}."
    if max(shift.noise for shift in shifts) >= SIGNIFICANT_SHIFT:
        return f"Too few decisions in the last 7 days to tell a shift from chance: {week.decisions:,}."
    seen = f"{len(shifts)} distributions of {week.decisions:,} applicants"
    return f"No moderate or significant shift in the last 7 days: {seen}."


_MODELS = "SELECT sha256, name, version FROM models"
