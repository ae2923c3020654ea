"""MODEL_CARD.md: the findings under the headings of Hugging Face's model card template."""

from __future__ import annotations

from train.report.findings import Findings
from train.report.templates import make_environment
from train.report.verdict import LABELS, assess
from train.summary import METRICS


def render_model_card(findings: Findings) -> bytes:
    """The card as Markdown, UTF-8; the same bytes for the same findings."""
    contract = findings.contract
    environment = make_environment()
    environment.filters["cell"] = _escape_cell
    page: str = environment.get_template("model_card.md").render(
        findings=findings,
        card=findings.card,
        contract=contract,
        training=contract.training,
        policy=contract.policy,
        verdict=assess(findings),
        labels=LABELS,
        metrics=METRICS,
        field_labels=[field.label for field in contract.fields],
    )
    return page.encode()


def _escape_cell(text: str) -> str:
    """A text for a cell of a Markdown table, where a bar would end the cell."""
    return text.replace("|", "\\|")
