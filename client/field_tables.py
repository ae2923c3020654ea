"""HTML tables with one row per field: waterfall of the points, rank in the population, comparison of applicants.

Tables can be read by screen readers and printed; style.css draws the bars. All values are escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from client.language import Language
from client.population import Population
from client.responses import Applicant, Model, Result
from client.waterfall import steps


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table with bars; `bar` is HTML and not escaped."""

    label: str
    value: str
    text: str
    bar: str


def draw_waterfall(result: Result, model: Model, applicant: Applicant, language: Language) -> str:
    """The points from the base over each field to the total; '' for a model whose contributions aren't in log-odds."""
    if model.base_points is None:
        return ""
    fields = {field.name: field for field in model.fields}
    base, walk = model.base_points, steps(result, model, model.base_points)
    totals = [base, result.points, *(step.after for step in walk)]
    low = min(totals)
    percent_per_point = 100 / max(max(totals) - low, 1)

    def bar(start: int, end: int, css_class: str) -> str:
        left, width = (min(start, end) - low) * percent_per_point, abs(end - start) * percent_per_point
        return f'<i class="{css_class}" style="left:{left:.2f}%;width:{width:.2f}%"></i>'

    def mark(total: int) -> str:
        return f'<b style="left:{(total - low) * percent_per_point:.2f}%"></b>'

    rows = [Row(language.text("waterfall.base"), "", language.number(base), mark(base))]
    for step in walk:
        field = fields.get(step.field)
        rows.append(
            Row(
                label=language.translate(field.label) if field else language.text("waterfall.rest"),
                value=language.value(applicant[field.name], field) if field else "",
                text=language.signed(step.points),
                bar=bar(step.before, step.after, "worse" if step.points < 0 else "better"),
            )
        )
    rows.append(Row(language.text("waterfall.total"), "", language.number(result.points), mark(result.points)))
    return _draw_bars(language.text("waterfall.title"), language.text("figure.points"), rows, language)


def draw_ranks(applicant: Applicant, model: Model, population: Population, language: Language) -> str:
    """Each value of the applicant with its rank in the population."""
    rows = []
    for field in model.fields:
        value = applicant[field.name]
        rank = population.rank(value, field)
        if value is not None and field.kind == "number":
            text = language.text("rank.number", share=language.percent(rank.below))
            bar = f'<b style="left:{100 * rank.midpoint:.2f}%"></b>'
        else:
            text = language.text("rank.missing" if value is None else "rank.level", share=language.percent(rank.same))
            bar = f'<i class="share" style="left:0;width:{100 * rank.same:.2f}%"></i>'
        rows.append(Row(language.translate(field.label), language.value(value, field), text, bar))
    title = language.text("rank.title", size=language.number(population.size))
    return _draw_bars(title, language.text("figure.rank"), rows, language)


def draw_values(applicant: Applicant, model: Model, language: Language) -> str:
    """The values of an applicant."""
    body = "".join(
        f'<tr><th scope="row">{escape(language.translate(field.label))}</th>'
        f"<td>{escape(language.value(applicant[field.name], field))}</td></tr>"
        for field in model.fields
    )
    return _draw_table(
        language.text("form.title"), (language.text("figure.field"), language.text("figure.value")), body
    )


def draw_comparison(names: Sequence[str], applicants: Sequence[Applicant], model: Model, language: Language) -> str:
    """The values of several applicants side by side, differences in bold."""
    body = ""
    for field in model.fields:
        values = [language.value(applicant[field.name], field) for applicant in applicants]
        tag = "b" if len(set(values)) > 1 else "span"
        cells = "".join(f"<td><{tag}>{escape(value)}</{tag}></td>" for value in values)
        body += f'<tr><th scope="row">{escape(language.translate(field.label))}</th>{cells}</tr>'
    return _draw_table(language.text("compare.caption"), (language.text("figure.field"), *names), body)


def _draw_bars(caption: str, bar_heading: str, rows: Iterable[Row], language: Language) -> str:
    body = "".join(
        f'<tr><th scope="row">{escape(row.label)}</th><td>{escape(row.value)}</td><td class="bar">'
        f'<span>{escape(row.text)}</span><div class="track" aria-hidden="true">{row.bar}</div></td></tr>'
        for row in rows
    )
    return _draw_table(caption, (language.text("figure.field"), language.text("figure.value"), bar_heading), body)


def _draw_table(caption: str, headings: Iterable[str], body: str) -> str:
    heading_cells = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    return (
        f'<div class="figure"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{heading_cells}</tr></thead><tbody>{body}</tbody></table></div>"
    )
