"""monitor.html: a backtest as one self-contained page, for the screen and for paper, without scripts.

The same backtest gives the same bytes. The sections are in report_*.py.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element

from model.contract import Contract
from model.formatting import UNKNOWN, format_count, format_percent
from model.maturity import describe_maturity
from monitor.backtest import Backtest
from monitor.next_step import Given, choose_next_step
from monitor.pages.markup import Child, append, element, render, table
from monitor.pages.report_applicants import show_applicants, show_expectation
from monitor.pages.report_money import show_profit, show_rules
from monitor.pages.report_outcomes import show_calibration, show_default_rates, show_discrimination
from monitor.pages.report_policy import show_challenger, show_costs, show_rejected, show_reviews
from monitor.pages.report_vintages import show_vintages
from monitor.verdict import Action

STYLE = Path(__file__).with_name("style.css")

COLORS: dict[Action, str] = {"keep": "pass", "watch": "review", "recalibrate": "fail", "retrain": "fail"}
"""Classes of style.css."""

SIGNATURES = ("Prepared by, date", "Reviewed by, date", "Approved by, date")


def make_report(backtest: Backtest, contract: Contract, database: str, given: Given | None = None) -> str:
    """The page; `contract`: of the model in service; `database`: its name, without a password.

    `given`: what the backtest was made from, for the next command.
    """
    model = backtest.model
    sections = [
        ("compared", "What was compared", _show_compared(backtest, database)),
        ("default-rate", "Default rate", show_default_rates(backtest)),
        ("calibration", "Calibration", show_calibration(backtest)),
        ("discrimination", "Discrimination", show_discrimination(backtest, contract)),
        ("vintages", "Vintages", show_vintages(backtest)),
        ("costs", "Costs", show_costs(backtest, contract)),
        ("profit", "Profit", show_profit(backtest)),
        ("rules", "Rules", show_rules(backtest)),
        ("reviews", "Reviews and overrides", show_reviews(backtest)),
        ("rejected", "Rejected applicants", show_rejected(backtest)),
        ("challenger", "Challenger", show_challenger(backtest)),
        ("applicants", "Applicants", show_applicants(backtest)),
        ("expected", "Expected performance", show_expectation(backtest)),
    ]
    shown = [section for section in sections if section[2]]
    main = element(
        "main",
        element("h1", f"{model.name}: monitoring report"),
        element("p", _describe_period(backtest), class_="faint"),
        *_show_verdict(backtest, given or Given()),
        element("nav", *(element("a", title, href=f"#{id}") for id, title, _ in shown), aria_label="Sections"),
    )
    for id, title, content in shown:
        append(main, element("section", element("h2", title, id=id), *content, aria_labelledby=id))
    append(main, element("div", *(element("div", who) for who in SIGNATURES), class_="signatures"))
    title = f"{model.name} {model.version}: monitoring report"
    return f"<!doctype html>\n{render(element('html', _make_head(title), element('body', main), lang='en'))}\n"


def _make_head(title: str) -> Element:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", STYLE.read_text(encoding="utf-8")),
    )


def _describe_period(backtest: Backtest) -> str:
    known = f"Outcomes as known on {backtest.at[:10]}. Ranges in parentheses are 95% confidence intervals."
    if backtest.start is None or backtest.end is None:
        return f"Version {backtest.model.version}. {known}"
    return f"Version {backtest.model.version}. Decisions from {backtest.start[:10]} to {backtest.end[:10]}. {known}"


def _show_verdict(backtest: Backtest, given: Given) -> list[Element]:
    verdict = backtest.verdict
    color = COLORS[verdict.action] if verdict.is_judged or verdict.action != "keep" else ""
    reasons = [element("li", reason, class_=COLORS[verdict.action]) for reason in verdict.reasons]
    evidence = [element("li", sentence, class_="note") for sentence in verdict.evidence]
    step, command = choose_next_step(backtest, given)
    return [
        element("p", f"{verdict.headline}.", class_=f"headline {color}".strip()),
        element("ul", *reasons, *evidence, class_="checks"),
        element("p", element("b", "Next: "), f"{step}: ", element("code", command), "."),
    ]


def _show_compared(backtest: Backtest, database: str) -> list[Child]:
    share = backtest.outcomes / backtest.decisions if backtest.decisions else None
    accepted = backtest.accepted / backtest.decisions if backtest.decisions else None
    facts: list[tuple[str, str]] = [
        ("database", database),
        ("decisions from", _write_minute(backtest.start)),
        ("to", _write_minute(backtest.end)),
        ("outcomes as known at", _write_minute(backtest.at)),
        ("decisions", format_count(backtest.decisions)),
        ("accepted", f"{format_count(backtest.accepted)} ({format_percent(accepted)})"),
        ("with outcome", f"{format_count(backtest.outcomes)} ({format_percent(share)})"),
        ("which outcomes count", _describe_maturity(backtest)),
    ]
    versions: list[list[Child]] = [
        [
            f"{one.model.name} {one.model.version}{' (in service)' if one.model == backtest.model else ''}",
            format_count(one.decisions),
            format_count(one.outcomes),
            element("code", one.model.sha256),
        ]
        for one in backtest.versions
    ]
    return [
        table("What was compared", ["", ""], [[name, value] for name, value in facts], is_text=True),
        element("h3", "Models"),
        table("Models", ["model", "decisions", "with outcome", "sha256 of the file"], versions, is_text=True),
        element(
            "p",
            "Calibration, drift and verdict are of the model in service; the other figures are of all models, each "
            "decision by the probability that its model gave.",
            class_="faint",
        ),
    ]


def _describe_maturity(backtest: Backtest) -> str:
    left_out = backtest.maturity.left_out
    told = f"; {format_count(left_out)} outcomes left out" if left_out else ""
    return f"{describe_maturity(backtest.maturity)}{told}"


def _write_minute(time: str | None) -> str:
    """A time in RFC 3339, as people read it."""
    return UNKNOWN if time is None else f"{time[:10]} {time[11:16]} UTC"
