"""The letter to the applicant: the decision as one printable, self-contained HTML page.

It gives at most four reasons (US Reg B, 12 CFR 1002.9, official interpretation 9(b)(2): more are not likely to help),
what would have changed a refusal, and the right to a review by a person (GDPR, article 22(3)). Where a person refused,
that person's reason comes first, and the model's follow unless the model would have accepted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from html import escape

from client.language import Language
from client.localization import describe_reason, localize_change
from client.responses import Applicant, Decision, Model, Result

MAX_REASONS = 4
MAX_CHANGES = 3

STYLE = """
@page { size: A4; margin: 20mm }
body { font: 11pt/1.5 Georgia, "Liberation Serif", serif; color: #000; background: #fff }
body { max-width: 170mm; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere }
h1 { font-size: 1.15rem; margin: 2.5rem 0 1.5rem }
header, footer { color: #333; font-size: .9em }
header { display: flex; justify-content: space-between; gap: 1rem }
footer { margin-top: 2.5rem; border-top: 1px solid #999; padding-top: .5rem; overflow-wrap: anywhere }
.closing { margin-top: 2rem; white-space: pre-line }
@media print { body { margin: 0; padding: 0; max-width: none } }
"""


@dataclass(frozen=True, slots=True)
class Parties:
    """Lender, name of the applicant, reference of the application and date; each text may be empty."""

    lender: str
    name: str
    reference: str
    day: date


@dataclass(frozen=True, slots=True)
class OnRecord:
    """A decision on record: its id and day, the decision that holds, and its reason where a person took it, else ''."""

    id: str
    day: date
    decision: Decision
    reason: str


def write_letter(
    applicant: Applicant,
    result: Result,
    model: Model,
    parties: Parties,
    language: Language,
    on_record: OnRecord | None = None,
) -> str:
    """The letter as one HTML document; an acceptance has neither reasons nor changes.

    `on_record`: the decision that the letter is of, of which `result` is the replay.
    """
    fields = {field.name: field for field in model.fields}
    text, body = language.text, ""
    decision = on_record.decision if on_record else result.decision
    by_rules = any(reason.rule for reason in result.reasons)
    rights = "letter.rights_rules" if by_rules else "letter.rights"
    reasons = [on_record.reason] if on_record and on_record.reason and decision == "refuse" else []
    if result.decision != "accept":
        reasons += [describe_reason(reason, applicant, model, language) for reason in result.reasons]
    if decision != "accept" and reasons:
        body += _list("ol", text("letter.reasons_rules" if by_rules else "letter.reasons"), reasons[:MAX_REASONS])
    if decision == result.decision and result.what_would_change:
        changes = (
            localize_change(change, applicant, fields[change.field], language)
            for change in result.what_would_change[:MAX_CHANGES]
        )
        body += _list("ul", text("letter.changes"), changes)
    subject = text("letter.subject", reference=parties.reference).strip()
    greeting = text("letter.greeting_name", name=parties.name) if parties.name else text("letter.greeting")
    origin = f"{text('letter.model', name=model.name, version=model.version)} sha256 {model.sha256}"
    if on_record:
        origin = f"{text('letter.record', id=on_record.id, day=language.day(on_record.day))} {origin}"
    return (
        f'<!doctype html>\n<html lang="{language.code}">\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(subject)}</title>\n<style>{STYLE}</style>\n"
        f"<header><span>{escape(parties.lender)}</span><span>{escape(language.day(parties.day))}</span></header>\n"
        f"<main><h1>{escape(subject)}</h1>\n<p>{escape(greeting)}</p>\n"
        f"<p>{escape(text(f'letter.{decision}'))}</p>\n{body}<p>{escape(text(rights))}</p>\n"
        f'<p class="closing">{escape(text("letter.closing"))}\n\n{escape(parties.lender)}</p></main>\n'
        f"<footer>{escape(origin)}</footer>\n</html>\n"
    )


def _list(tag: str, title: str, lines: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<p>{escape(title)}</p>\n<{tag}>{items}</{tag}>\n"
