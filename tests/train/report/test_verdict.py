"""The verdict: what is wrong is said first, in a sentence with its figure."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from train.report.findings import Findings
from train.report.intervals import Estimate
from train.report.verdict import judge, show_verdict


def statuses(findings: Findings) -> dict[str, str]:
    """Question → status."""
    return {answer.question: answer.status for answer in judge(findings).answers}


def test_a_good_model_is_supported_and_what_people_decide_is_counted(findings: Findings) -> None:
    """Ranking, calibration, cost and directions are as they should be; the proxy of age is to be looked at."""
    found = statuses(findings)

    assert "good" == found["Does it tell good from bad?"] == found["Does risk move as people know?"]
    assert "look" == found["Do other fields give Age away?"]
    assert "bad" not in found.values()
    assert judge(findings).headline.startswith("The evidence supports this model; ")


@pytest.mark.parametrize(
    ("changed", "question", "status"),
    [
        ({"auc": Estimate(0.52, 0.48, 0.56)}, "Does it tell good from bad?", "bad"),
        ({"directions": ()}, "Does risk move as people know?", "look"),
        ({"fairness": ()}, "Does it treat groups alike?", "look"),
    ],
)
def test_what_is_not_as_it_should_be_is_marked(
    findings: Findings, changed: dict[str, object], question: str, status: str
) -> None:
    """Each question for itself."""
    assert status == statuses(replace(findings, **changed))[question]  # type: ignore[arg-type]


def test_a_policy_dearer_than_refusing_all_speaks_against_the_model(findings: Findings) -> None:
    """The headline says so."""
    dear = replace(findings, costs=replace(findings.costs, cost=Estimate(9.0, 8.0, 10.0)))

    assert "bad" == statuses(dear)["Does its policy pay?"]
    assert "The evidence speaks against using this model: one thing below" == judge(dear).headline


def test_a_direction_that_breaks_is_named(findings: Findings) -> None:
    """With the share of steps that hold."""
    broken = replace(findings.directions[0], holds=0.9)

    (answer,) = [
        answer
        for answer in judge(replace(findings, directions=(broken, *findings.directions[1:]))).answers
        if answer.question == "Does risk move as people know?"
    ]

    assert "Income hold in 90.0 % of steps at worst" in answer.text


def test_the_terminal_shows_the_same_sentences(findings: Findings) -> None:
    """Every answer, whatever brackets a label has."""
    written = StringIO()
    verdict = judge(findings)

    show_verdict(Console(file=written, width=1000), verdict)

    assert all(f"{answer.question} {answer.text}" in written.getvalue() for answer in verdict.answers)
