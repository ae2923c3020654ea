"""The content of the page GET /monitor: a Monitor as HTML, which the page's script inserts and refreshes.

Names come from model files; monitor/markup.py escapes them.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from model.formatting import format_count, format_decimal, format_percent
from model.policy import DECISIONS
from monitor.pages.markup import append, element, render, table
from monitor.pages.page_drift import show_bins, show_drift
from monitor.pages.page_periods import show_by_period, show_decisions, show_service, show_versions
from monitor.summary import ChallengerSummary, ModelName, Monitor


def render_page(monitor: Monitor) -> str:
    """The content as HTML, in one element."""
    root = element("div", *_show_head(monitor))
    if not monitor.weeks:
        text = "No decision is counted yet. The service records what it answers, and counts it within seconds."
        return render(append(root, element("p", text)))
    append(root, _show_tiles(monitor))
    append(root, element("h2", "Decisions"), *show_by_period(monitor, show_decisions))
    if monitor.windows[-1].rules:
        append(root, *_show_rules(monitor))
    append(root, *show_drift(monitor))
    if monitor.challenger is not None:
        append(root, *_show_challenger(monitor.challenger, monitor.model))
    append(root, element("h2", "Service"), *show_by_period(monitor, show_service), show_versions(monitor.weeks))
    return render(root)


def _show_head(monitor: Monitor) -> list[Element]:
    moment = element("time", f"{monitor.at[:10]} {monitor.at[11:16]} UTC", datetime=monitor.at)
    waiting = f", {format_count(monitor.waiting)} more are being counted" if monitor.waiting else ""
    model = element("b", f"{monitor.model.name} {monitor.model.version}")
    return [
        element("p", monitor.headline, class_="headline"),
        element("p", model, ", ", moment, f", {format_count(monitor.counted)} records{waiting}.", class_="faint"),
    ]


def _show_tiles(monitor: Monitor) -> Element:
    week = monitor.windows[-1]
    in_hour, in_day, volume = (window.volume for window in monitor.windows)
    accepted, reviewed, refused = (
        format_percent(count / volume.decisions if volume.decisions else None)
        for count in (volume.accepted, volume.reviewed, volume.refused)
    )
    lately = monitor.days[-7:]
    reviews, overrides = sum(one.reviews for one in lately), sum(one.overrides for one in lately)
    expected = "" if week.expected_probability is None else f"{format_percent(week.expected_probability)} expected, "
    return element(
        "dl",
        _tile(
            "Decisions in 7 days",
            format_count(volume.decisions),
            f"{format_count(in_day.decisions)} in 24 hours, {format_count(in_hour.decisions)} in 60 to 70 minutes",
        ),
        _tile("Accepted", accepted, f"{reviewed} to review, {refused} refused"),
        _tile(
            "Mean probability of default",
            format_percent(week.mean_probability),
            f"{expected}of {format_count(week.decisions)} decisions by {monitor.model.version}",
        ),
        _tile(
            "Overrides",
            format_percent(overrides / reviews if reviews else None),
            f"{format_count(overrides)} of {format_count(reviews)} reviews in 7 days",
        ),
        class_="tiles",
    )


def _tile(name: str, value: str, note: str) -> Element:
    return element("div", element("dt", name), element("dd", value), element("dd", note, class_="note"))


def _show_rules(monitor: Monitor) -> list[Element]:
    """How many decisions of the model in service each of its rules decided."""
    by_window = zip(*(window.rules for window in monitor.windows), strict=True)
    rows = [[one[0].name, one[0].decision, *(format_count(count.decided) for count in one)] for one in by_window]
    text = (
        f"Decisions by {monitor.model.version} for which the condition holds and the decision is the rule's; several "
        "rules can decide the same one. An applicant whose data was erased isn't counted."
    )
    headers = ["rule", "decision", *(f"last {window.name}" for window in monitor.windows)]
    return [element("h2", "Rules"), element("p", text, class_="faint"), table("Rules", headers, rows)]


def _show_challenger(challenger: ChallengerSummary, champion: ModelName) -> list[Element]:
    """The swap set, and the probabilities of both models for the same applicants."""
    title = "Swap set: decisions of the champion by row, of the challenger by column"
    totals = [sum(column) for column in zip(*challenger.swap_set, strict=True)]
    rows = [
        [name, *(format_count(count) for count in counts), format_count(sum(counts))]
        for name, counts in zip([*DECISIONS, "all"], [*challenger.swap_set, totals], strict=True)
    ]
    facts = [
        ["applicants scored by both", format_count(challenger.scored)],
        ["same decision", format_percent(challenger.agreement)],
        ["mean probability, champion", format_percent(challenger.champion_mean_probability)],
        ["mean probability, challenger", format_percent(challenger.mean_probability)],
    ]
    shift = challenger.shift
    if shift is not None:
        facts.append(["stability index of the probability", f"{format_decimal(shift.psi)}, {shift.verdict}"])
    names = f"{challenger.name} {challenger.version} in the shadow of {champion.name} {champion.version}"
    section = element("div", class_="halves")
    append(
        section,
        element("div", element("h3", "Swap set"), table(title, ["champion ↓ challenger →", *DECISIONS, "all"], rows)),
    )
    append(
        section,
        element("div", element("h3", "Agreement"), table("Agreement of the two", ["last 7 days", "both"], facts)),
    )
    if shift is not None and shift.bins:
        append(section, show_bins(shift, "champion", "challenger"))
    return [
        element("h2", "Challenger"),
        element("p", f"{names}, on the same applicants, since {challenger.since[:10]}.", class_="faint"),
        section,
    ]
