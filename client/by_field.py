"""Figures with one row for each field, as HTML tables with bars: waterfall, standing, comparison.

A table can be read aloud and printed; the bars are drawn by CSS in look.css. Everything that comes from outside is
escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from client.answers import Applicant, Model, Result
from client.language import Language
from client.population import Population
from client.waterfall import base_points, steps


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a figure; `drawing` is HTML of ours."""

    label: str
    value: str
    figure: str
    drawing: str


def waterfall(result: Result, model: Model, applicant: Applicant, language: Language) -> str:
    """Base → each field → total, in points."""
    fields = {field.name: field for field in model.fields}
    base, walk = base_points(model), steps(result, model)
    heights = [base, result.points, *(step.after for step in walk)]
    low = min(heights)
    share = 100 / max(max(heights) - low, 1)

    def bar(start: int, end: int, kind: str) -> str:
        left, width = (min(start, end) - low) * share, abs(end - start) * share
        return f'<i class="{kind}" style="left:{left:.2f}%;width:{width:.2f}%"></i>'

    def mark(height: int) -> str:
        return f'<b style="left:{(height - low) * share:.2f}%"></b>'

    rows = [Row(language.say("waterfall.base"), "", language.number(base), mark(base))]
    for step in walk:
        field = fields.get(step.field)
        rows.append(
            Row(
                label=language.word(field.label) if field else language.say("waterfall.rest"),
                value=language.value(applicant[field.name], field) if field else "",
                figure=language.signed(step.points),
                drawing=bar(step.before, step.after, "worse" if step.points < 0 else "better"),
            )
        )
    rows.append(Row(language.say("waterfall.total"), "", language.number(result.points), mark(result.points)))
    return _table(language.say("waterfall.title"), language.say("figure.points"), rows, language)


def standing(applicant: Applicant, model: Model, population: Population, language: Language) -> str:
    """Each value of the applicant, and where it stands among the others."""
    rows = []
    for field in model.fields:
        value = applicant[field.name]
        place = population.stand(value, field)
        if value is not None and field.kind == "number":
            told = language.say("standing.number", share=language.percent(place.below))
            drawing = f'<b style="left:{100 * place.rank:.2f}%"></b>'
        else:
            key = "standing.missing" if value is None else "standing.level"
            told = language.say(key, share=language.percent(place.same))
            drawing = f'<i class="share" style="left:0;width:{100 * place.same:.2f}%"></i>'
        rows.append(Row(language.word(field.label), language.value(value, field), told, drawing))
    title = language.say("standing.title", size=language.number(population.size))
    return _table(title, language.say("figure.standing"), rows, language)


def comparison(names: Sequence[str], applicants: Sequence[Applicant], model: Model, language: Language) -> str:
    """The values of applicants side by side; those that differ are set in bold."""
    body = ""
    for field in model.fields:
        values = [language.value(applicant[field.name], field) for applicant in applicants]
        tag = "b" if len(set(values)) > 1 else "span"
        cells = "".join(f"<td><{tag}>{escape(value)}</{tag}></td>" for value in values)
        body += f'<tr><th scope="row">{escape(language.word(field.label))}</th>{cells}</tr>'
    return _frame(language.say("compare.caption"), (language.say("figure.field"), *names), body)


def _table(caption: str, figure: str, rows: Iterable[Row], language: Language) -> str:
    body = "".join(
        f'<tr><th scope="row">{escape(row.label)}</th><td>{escape(row.value)}</td><td class="bar">'
        f'<span>{escape(row.figure)}</span><div class="track" aria-hidden="true">{row.drawing}</div></td></tr>'
        for row in rows
    )
    return _frame(caption, (language.say("figure.field"), language.say("figure.value"), figure), body)


def _frame(caption: str, heads: Iterable[str], body: str) -> str:
    top = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    return (
        f'<div class="figure"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )
