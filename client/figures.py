"""Verdict, gauge and lists as HTML: each figure is text first, so that it can be read aloud, and a drawing second
(by CSS in look.css). Everything that comes from outside is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from client.answers import Policy, Result
from client.language import Language


def verdict(result: Result, policy: Policy, language: Language, *, before: Result | None = None) -> str:
    """The decision in words with probability and points, and its gauge; `before` is the answer to compare with."""
    was = ""
    if before is not None and before != result:
        text = language.say(
            "verdict.before",
            decision=language.say(f"decision.{before.decision}"),
            probability=language.percent(before.probability),
            points=language.number(before.points),
        )
        was = f'<p class="before">{escape(text)}</p>'
    points = language.say("verdict.points", points=language.number(result.points))
    return (
        f'<div class="verdict {result.decision}" role="status"><div>'
        f'<p class="word">{escape(language.say(f"decision.{result.decision}"))}</p><p>{escape(points)}</p>{was}'
        f"</div>{gauge(result, policy, language)}</div>"
    )


def gauge(result: Result, policy: Policy, language: Language) -> str:
    """The probability of default on a scale from 0 to 1, against the thresholds of the policy."""
    title = language.say("gauge.title", probability=language.percent(result.probability))
    drawn = "".join(
        f'<i class="{name}" style="width:{100 * (high - low):.3f}%"></i>' for name, low, high in zones(policy)
    )
    return (
        '<figure class="gauge">'
        f"<figcaption>{escape(title)}</figcaption>"
        f'<div class="scale" aria-hidden="true">{drawn}<b style="left:{100 * result.probability:.3f}%"></b></div>'
        f"<p>{escape(thresholds(policy, language))}</p></figure>"
    )


def thresholds(policy: Policy, language: Language) -> str:
    """The policy in one line: accepted below, reviewed from, refused from."""
    return language.say("list.join").join(
        language.say(f"gauge.{name}", low=language.percent(low), high=language.percent(high))
        for name, low, high in zones(policy)
    )


def zones(policy: Policy) -> Sequence[tuple[str, float, float]]:
    """Decision, from and to, for each decision that the policy can take."""
    edges = [0.0, policy.review_from, policy.refuse_from, 1.0]
    spans = zip(("accept", "review", "refuse"), edges[:-1], edges[1:], strict=True)
    return [(name, low, high) for name, low, high in spans if high > low]


def bullets(lines: Iterable[str], kind: str) -> str:
    """Sentences as a list."""
    return f'<ul class="{kind}">' + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def facts(pairs: Mapping[str, str]) -> str:
    """Names and values on one line each."""
    return (
        '<dl class="facts">'
        + "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in pairs.items())
        + "</dl>"
    )
