"""Gauge, waterfall and standing as HTML: each figure is text or a table first, so that it can be read aloud, and a
drawing second (bars by CSS in look.css). Everything that comes from outside is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from client.answers import Applicant, Model, Policy, Result
from client.language import Language
from client.population import Population, Standing
from client.waterfall import base_points, steps


def verdict(result: Result, language: Language, *, before: Result | None = None) -> str:
    """The decision in words, with probability and points; `before` is the answer to compare with."""
    words = escape(language.say(f"decision.{result.decision}"))
    facts = language.say(
        "verdict.facts", probability=language.percent(result.probability), points=language.number(result.points)
    )
    was = ""
    if before is not None and before != result:
        text = language.say(
            "verdict.before",
            decision=language.say(f"decision.{before.decision}"),
            probability=language.percent(before.probability),
            points=language.number(before.points),
        )
        was = f'<p class="before">{escape(text)}</p>'
    return (
        f'<div class="verdict {result.decision}" role="status">'
        f'<p class="word">{words}</p><p class="facts">{escape(facts)}</p>{was}</div>'
    )


def gauge(result: Result, policy: Policy, language: Language) -> str:
    """The probability of default on a scale from 0 to 1, against the thresholds of the policy."""
    drawn = "".join(
        f'<i class="{name}" style="width:{100 * (high - low):.3f}%"></i>' for name, low, high in _zones(policy)
    )
    return (
        '<figure class="gauge">'
        f"<figcaption>{escape(language.say('gauge.title'))}: <b>{language.percent(result.probability)}</b></figcaption>"
        f'<div class="scale" aria-hidden="true">{drawn}<b style="left:{100 * result.probability:.3f}%"></b></div>'
        f"<p>{escape(thresholds(policy, language))}</p></figure>"
    )


def thresholds(policy: Policy, language: Language) -> str:
    """The policy in one line: accepted below, reviewed from, refused from."""
    return "; ".join(
        language.say(f"gauge.{name}", low=language.percent(low), high=language.percent(high))
        for name, low, high in _zones(policy)
    )


def _zones(policy: Policy) -> Sequence[tuple[str, float, float]]:
    """Decision, from and to, for each decision that the policy can take."""
    edges = [0.0, policy.review_from, policy.refuse_from, 1.0]
    zones = zip(("accept", "review", "refuse"), edges[:-1], edges[1:], strict=True)
    return [(name, low, high) for name, low, high in zones if high > low]


def waterfall(result: Result, model: Model, applicant: Applicant, language: Language) -> str:
    """Base → each field → total, in points."""
    fields = {field.name: field for field in model.fields}
    base, walk = base_points(model), steps(result, model)
    heights = [base, result.points, *(step.after for step in walk)]
    low, high = min(heights), max(heights)

    def bar(start: int, end: int, kind: str) -> str:
        width = 100 / max(high - low, 1)
        left = (min(start, end) - low) * width
        return f'<i class="{kind}" style="left:{left:.2f}%;width:{abs(end - start) * width:.2f}%"></i>'

    rows = [(language.say("waterfall.base"), "", str(base), bar(base - 1, base, "total"))]
    for step in walk:
        field = fields.get(step.field)
        label = language.word(field.label) if field else language.say("waterfall.rest")
        value = language.value(applicant[field.name], field) if field else ""
        kind = "worse" if step.points < 0 else "better"
        rows.append((label, value, language.signed(step.points), bar(step.before, step.after, kind)))
    rows.append(
        (language.say("waterfall.total"), "", str(result.points), bar(result.points - 1, result.points, "total"))
    )
    heads = [language.say(key) for key in ("figure.field", "figure.value", "figure.points")]
    return _table("waterfall", language.say("waterfall.title"), heads, rows)


def standing(applicant: Applicant, model: Model, population: Population, language: Language) -> str:
    """Each value of the applicant, and where it stands among the others."""
    rows = []
    for field in model.fields:
        value = applicant[field.name]
        place = population.stand(value, field)
        is_number = value is not None and field.kind == "number"
        mark = (
            f'<b style="left:{100 * place.rank:.2f}%"></b>'
            if is_number
            else (f'<i class="total" style="left:0;width:{100 * place.same:.2f}%"></i>')
        )
        rows.append(
            (
                language.word(field.label),
                language.value(value, field),
                _tell(place, is_number, value is None, language),
                mark,
            )
        )
    heads = [language.say(key) for key in ("figure.field", "figure.value", "figure.standing")]
    title = language.say("standing.title", size=language.number(population.size))
    return _table("standing", title, heads, rows)


def _tell(place: Standing, is_number: bool, is_missing: bool, language: Language) -> str:
    if is_number:
        return language.say("standing.number", share=language.percent(place.below))
    return language.say("standing.missing" if is_missing else "standing.level", share=language.percent(place.same))


def comparison(names: Sequence[str], applicants: Sequence[Applicant], model: Model, language: Language) -> str:
    """The values of applicants side by side; those that differ are set in bold."""
    body = ""
    for field in model.fields:
        values = [language.value(applicant[field.name], field) for applicant in applicants]
        tag = "b" if len(set(values)) > 1 else "span"
        cells = "".join(f"<td><{tag}>{escape(value)}</{tag}></td>" for value in values)
        body += f'<tr><th scope="row">{escape(language.word(field.label))}</th>{cells}</tr>'
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in (language.say("figure.field"), *names))
    caption = escape(language.say("compare.caption"))
    return f'<div class="figure"><table class="comparison"><caption>{caption}</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'


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


def _table(kind: str, caption: str, heads: Sequence[str], rows: Iterable[tuple[str, str, str, str]]) -> str:
    """A table whose last text column also carries a bar; `rows`: label, value, figure, drawing (HTML of ours)."""
    top = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(label)}</th><td>{escape(value)}</td>'
        f'<td class="bar"><span>{escape(figure)}</span><div class="track" aria-hidden="true">{drawing}</div></td></tr>'
        for label, value, figure, drawing in rows
    )
    return f'<div class="figure"><table class="{kind}"><caption>{escape(caption)}</caption><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
