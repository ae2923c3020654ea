"""MODEL_CARD.md: the findings under the headings of Hugging Face's model card template."""

from __future__ import annotations

from html import escape
from typing import Any

from markupsafe import Markup

from model.rule_words import describe_condition
from train.report.findings import Findings
from train.report.gate import describe_rejection
from train.report.report_page import describe_money
from train.report.templates import make_environment
from train.report.verdict import LABELS, assess
from train.summary import METRICS
from train.weights import weighted_mean


def render_model_card(findings: Findings) -> bytes:
    """The card as Markdown, UTF-8; the same bytes for the same findings."""
    contract = findings.contract
    environment = make_environment()
    environment.filters["cell"] = _escape_cell
    environment.finalize = _escape_tags
    page: str = environment.get_template("model_card.md").render(
        findings=findings,
        card=findings.card,
        contract=contract,
        training=contract.training,
        policy=contract.policy,
        verdict=assess(findings),
        default_rate=weighted_mean(findings.out_of_sample.y, findings.out_of_sample.weight),
        labels=LABELS,
        metrics=METRICS,
        field_labels=[field.label for field in contract.fields],
        rejection=describe_rejection(findings),
        money_terms=describe_money(contract),
        rules=[(rule, describe_condition(rule.when, contract.fields)) for rule in contract.policy.rules],
    )
    return page.encode()


def _escape_tags(value: Any) -> Any:
    """Each text that enters the card: Markdown takes HTML, so that a label, note or level could bring its own."""
    return escape(value, quote=False) if isinstance(value, str) and not isinstance(value, Markup) else value


def _escape_cell(text: str) -> str:
    """A text for a cell of a Markdown table, where a bar or a line break would end the cell."""
    return " ".join(text.splitlines()).replace("|", "\\|")
