"""HTML of the decision with its gauge, of lists and of the model's facts.

Everything is readable as text, by screen readers too; the drawings come from style.css. All values are escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from msgspec.structs import replace

from client.language import Language
from client.money import find_own_policy, write_amount, write_money
from client.responses import Decision, Model, Policy, Result


def verdict(
    result: Result,
    model: Model,
    language: Language,
    *,
    before: Result | None = None,
    final: Decision | None = None,
    notes: Sequence[str] = (),
) -> str:
    """The decision, points and gauge, and the result before a field was changed, if that differs.

    `final`: the decision that holds instead of the model's; `notes`: lines below it.
    """
    lines = [*notes]
    if result.rules:
        lines.append(
            language.text("verdict.rules", rules=language.text("list.join").join(map(language.translate, result.rules)))
        )
    if money := write_money(result, model, language):
        lines.append(money)
    if before is not None and not _is_same(before, result):
        text = language.text(
            "verdict.before",
            decision=language.text(f"decision.{before.decision}"),
            probability=language.percent(before.probability),
            points=language.number(before.points),
        )
        if before.expected_profit is not None:
            profit = write_amount(before.expected_profit, model, language)
            text = language.text("money.with_profit", text=text, profit=profit)
        lines.append(text)
    further = "".join(f'<p class="before">{escape(line)}</p>' for line in lines)
    points = language.text("verdict.points", points=language.number(result.points))
    shown = final or result.decision
    decision = language.text(f"decision.{shown}")
    return (
        f'<div class="verdict {shown}" role="status"><div>'
        f'<p class="decision">{escape(decision)}</p><p>{escape(points)}</p>{further}'
        f"</div>{gauge(result, model.policy, language)}</div>"
    )


def _is_same(before: Result, result: Result) -> bool:
    """Whether two results are equal, but for what they are recorded as."""
    return replace(before, further={}) == replace(result, further={})


def gauge(result: Result, policy: Policy, language: Language) -> str:
    """The probability of default on a scale from 0 to 1 with the thresholds of the policy for this applicant."""
    own = find_own_policy(result, policy)
    if own is None:
        limits = language.text("gauge.unknown")
    else:
        limits = thresholds(own, language)
        if policy.money is not None:
            limits = language.text("gauge.own", limits=limits)
    title = language.text("gauge.title", probability=language.percent(result.probability))
    zones = "".join(
        f'<i class="{name}" style="width:{100 * (high - low):.3f}%"></i>'
        for name, low, high in (decision_zones(own) if own else ())
    )
    return (
        '<figure class="gauge">'
        f"<figcaption>{escape(title)}</figcaption>"
        f'<div class="scale" aria-hidden="true">{zones}<b style="left:{100 * result.probability:.3f}%"></b></div>'
        f"<p>{escape(limits)}</p></figure>"
    )


def thresholds(policy: Policy, language: Language) -> str:
    """The policy in one line: accepted below, reviewed from, refused from."""
    return language.text("list.join").join(
        language.text(f"gauge.{name}", low=language.percent(low), high=language.percent(high))
        for name, low, high in decision_zones(policy)
    )


def decision_zones(policy: Policy) -> Sequence[tuple[str, float, float]]:
    """(decision, lowest probability, highest probability) for each decision that the policy can take."""
    edges = [0.0, policy.review_from, policy.refuse_from, 1.0]
    zones = zip(("accept", "review", "refuse"), edges[:-1], edges[1:], strict=True)
    return [(name, low, high) for name, low, high in zones if high > low]


def bullets(lines: Iterable[str], css_class: str) -> str:
    """Sentences as a bulleted list."""
    return f'<ul class="{css_class}">' + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def heading(text: str) -> str:
    """The heading of a case, which may be any text."""
    return f"<h2>{escape(text)}</h2>"


def history(events: Iterable[tuple[str, str, str]]) -> str:
    """(time, what happened, note) as a numbered list."""
    items = "".join(
        f"<li><span>{escape(when)}</span> {escape(text)}{f'<p>{escape(note)}</p>' if note else ''}</li>"
        for when, text, note in events
    )
    return f'<ol class="history">{items}</ol>'


def facts(pairs: Mapping[str, str]) -> str:
    """Names and values as a description list on one line."""
    return (
        '<dl class="facts">'
        + "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in pairs.items())
        + "</dl>"
    )
