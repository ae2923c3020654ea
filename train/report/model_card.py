"""MODEL_CARD.md: the findings under the headings that Hugging Face's model cards have."""

from __future__ import annotations

from train.report.findings import Findings
from train.report.page import environment
from train.report.verdict import judge
from train.summary import METRICS


def render_model_card(findings: Findings) -> bytes:
    """The card of a model as Markdown, UTF-8; the same bytes for the same findings."""
    contract = findings.contract
    made = environment()
    made.filters["cell"] = _cell
    page: str = made.get_template("model_card.md").render(
        found=findings,
        card=findings.card,
        contract=contract,
        training=contract.training,
        policy=contract.policy,
        verdict=judge(findings),
        metrics=METRICS,
        labels=[field.label for field in contract.fields],
    )
    return page.encode()


def _cell(text: str) -> str:
    """A text inside a Markdown table, where a bar would end its cell."""
    return text.replace("|", "\\|")
