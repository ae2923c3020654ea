"""MODEL_CARD.md: Hugging Face's headings, the figures of the report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import msgspec
import pytest

from model.formatting import format_estimate
from train.report.changelog import INTRODUCTION, add_entry
from train.report.findings import Findings
from train.report.model_card import render_model_card

HEADINGS = [
    "Model Card for loans",
    "Model Details",
    "Uses",
    "Bias, Risks, and Limitations",
    "How to Get Started with the Model",
    "Training Details",
    "Evaluation",
    "Technical Specifications",
]
"""From huggingface_hub's modelcard_template.md."""


def test_it_has_the_headings_of_hugging_face(findings: Findings) -> None:
    """In the template's order, after the YAML metadata."""
    text = render_model_card(findings).decode()

    found = re.findall(r"^##? (.*)$", text, re.MULTILINE)
    assert [heading for heading in found if heading in HEADINGS] == HEADINGS
    assert re.match(r"---\nlibrary_name: onnx\n", text)
    assert 'license: "mit"' in text


def test_its_figures_are_those_of_the_findings(findings: Findings) -> None:
    """AUC with interval, sha256, commit, groups of protected fields, and no NaN."""
    text = render_model_card(findings).decode()

    for fact in (
        format_estimate(findings.main.auc),
        findings.sha256,
        findings.contract.training.commit,
        "| f | ",
        "&lt;of&gt;",
    ):
        assert fact in text
    assert "nan" not in text.lower().replace("finance", "")


def test_figures_in_time_and_out_of_time_are_named(findings_over_time: Findings) -> None:
    """In the metadata, whose figures are out of time, and as columns of the results."""
    text = render_model_card(findings_over_time).decode()

    assert "      split: hold-out, out of time, since 2007-01-01\n" in text
    assert "\n| | in time | out of time |\n|---|---|---|\n| applications | 960 | 240 |\n" in text
    assert "- **Out of time:** The newest 240 applications, since 2007-01-01, predicted by this model." in text


def test_a_bar_in_a_label_does_not_break_a_table(findings: Findings) -> None:
    """Every row has as many cells as its header."""
    rows = re.findall(r"^\|.*\|$", render_model_card(findings).decode(), re.MULTILINE)
    widths: list[int] = []
    for row in rows:
        cells = len(re.findall(r"(?<!\\)\|", row)) - 1
        if set(row) <= set("|-"):
            assert cells == widths[-1]
        widths.append(cells)

    assert all(width in (2, 3, 6) for width in widths)


TAG = "<script>alert('&amp;')</script>"
CODES = {"kind", "risk", "stated", "name", "title", "verdict"}
"""Texts that the code compares or looks up; those of them that people write are replaced one by one."""


def make_hostile(value: Any, key: str = "") -> Any:
    """The same findings with a tag in every text."""
    if isinstance(value, str):
        return value if key in CODES else value + TAG
    if isinstance(value, tuple):
        return tuple(make_hostile(one, key) for one in value)
    if isinstance(value, Mapping):
        keys = {one: one if key == "fields" else make_hostile(one) for one in value}
        return {keys[one]: make_hostile(part, key) for one, part in value.items()}
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(
            value,
            **{name: make_hostile(getattr(value, name), name) for name in value.__struct_fields__ if name not in CODES},
        )
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{one.name: make_hostile(getattr(value, one.name), one.name) for one in fields(value) if one.init}
        )
    return value


@pytest.mark.parametrize("name", ["findings", "findings_over_time"])
def test_no_text_brings_html(name: str, request: pytest.FixtureRequest) -> None:
    """Names, labels, units, levels, notes, sources, versions: Markdown would take a tag for one."""
    found: Findings = request.getfixturevalue(name)
    kept = {"out_of_sample", "samples", "trained"}
    hostile = replace(
        found,
        **{one.name: make_hostile(getattr(found, one.name), one.name) for one in fields(found) if one.name not in kept},
    )
    assert found.trained is not None
    hostile = replace(
        hostile,
        contract=msgspec.structs.replace(hostile.contract, name=TAG),
        fairness=tuple(replace(one, groups=make_groups(one.groups)) for one in hostile.fairness),
        trained=replace(found.trained, left_out={TAG: TAG}),
    )

    text = render_model_card(hostile).decode()

    assert re.findall(r"<[^<>]*>", text) == []
    assert text.count("&lt;script&gt;alert('&amp;amp;')&lt;/script&gt;") > 20
    assert text.count("\\u003cscript\\u003e") == 3


def make_groups(groups: tuple[Any, ...]) -> tuple[Any, ...]:
    """With a tag in each name."""
    return tuple(replace(one, name=TAG) for one in groups)


def test_a_changelog_entry_brings_no_html() -> None:
    """What people wrote below it stays as it is."""
    text = add_entry(f"{INTRODUCTION}\n## 2019\n\n<b>Approved</b>\n", f"## 2020: {TAG}\n").decode()

    assert "## 2020: &lt;script&gt;" in text
    assert text.endswith("<b>Approved</b>\n")


def test_the_same_findings_give_the_same_bytes(findings: Findings) -> None:
    """No time stamp or random id."""
    assert render_model_card(findings) == render_model_card(findings)
