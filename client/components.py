"""HTML of the decision with its gauge, of lists and of the model's facts.

Everything is readable as text, by screen readers too; the drawings come from style.css. All values are escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from client.language import Language
from client.responses import Policy, Result


def verdict(result: Result, policy: Policy, language: Language, *, before: Result | None = None) -> str:
    """The decision, points and gauge; and the result before a field was changed, if that differs."""
    previous = ""
    if before is not None and before != result:
        text = language.text(
            "verdict.before",
            decision=language.text(f"decision.{before.decision}"),
            probability=language.percent(before.probability),
            points=language.number(before.points),
        )
        previous = f'<p class="before">{escape(text)}</p>'
    points = language.text("verdict.points", points=language.number(result.points))
    decision = language.text(f"decision.{result.decision}")
    return (
        f'<div class="verdict {result.decision}" role="status"><div>'
        f'<p class="decision">{escape(decision)}</p><p>{escape(points)}</p>{previous}'
        f"</div>{gauge(result, policy, language)}</div>"
    )


def gauge(result: Result, policy: Policy, language: Language) -> str:
    """The probability of default on a scale from 0 to 1 with the thresholds of the policy."""
    title = language.text("gauge.title", probability=language.percent(result.probability))
    zones = "".join(
        f'<i class="{name}" style="width:{100 * (high - low):.3f}%"></i>' for name, low, high in decision_zones(policy)
    )
    return (
        '<figure class="gauge">'
        f"<figcaption>{escape(title)}</figcaption>"
        f'<div class="scale" aria-hidden="true">{zones}<b style="left:{100 * result.probability:.3f}%"></b></div>'
        f"<p>{escape(thresholds(policy, language))}</p></figure>"
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


def facts(pairs: Mapping[str, str]) -> str:
    """Names and values as a description list on one line."""
    return (
        '<dl class="facts">'
        + "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in pairs.items())
        + "</dl>"
    )
