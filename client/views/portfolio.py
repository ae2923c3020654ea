"""The whole table: acceptance rate, histogram of the probabilities, results and their download."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import fmean

import altair as alt
import pandas as pd
import streamlit as st

from client import components
from client.app_state import AppState
from client.localization import localize_reason
from client.money import write_amount
from client.portfolio import (
    ScoredTable,
    describe_fault,
    further_columns,
    read_further,
    score_table,
    write_results,
)
from client.responses import Result

MAX_ROWS_UNASKED = 5_000
"""A table with more rows is scored only after a click on a button; any table is, if the service records decisions."""

BINS = 40
COLOURS = {"accept": "#2f8f4c", "review": "#b07d10", "refuse": "#c4453e"}


def show_portfolio(state: AppState) -> None:
    """Score the table, once per table and model, and show the results."""
    language, rows = state.language, len(state.table.ids)
    if not rows:
        st.info(language.text("table.none"))
        return
    key = f"scored {state.table.sha256} {state.model.sha256}"
    if key not in st.session_state:
        total = language.number(rows)
        is_asked, text = rows > MAX_ROWS_UNASKED, "portfolio.big"
        if state.recording != "off":
            is_asked, text = True, "portfolio.record"
        if is_asked and not st.button(language.text(text, rows=total), type="primary"):
            return
        bar = st.progress(0.0)
        for scored in score_table(state.api, state.table):
            done = len(scored.results) + len(scored.errors)
            bar.progress(done / rows, language.text("portfolio.running", done=language.number(done), rows=total))
        bar.empty()
        st.session_state[key] = scored
    _show(state, st.session_state[key])


def _show(state: AppState, scored: ScoredTable) -> None:
    language = state.language
    results = list(scored.results.values())
    metrics = {
        "portfolio.applicants": language.number(len(state.table.ids)),
        "portfolio.not_scored": language.number(len(scored.errors)),
    }
    if results:
        accepted = sum(result.decision == "accept" for result in results) / len(results)
        metrics["portfolio.accepted"] = language.percent(accepted)
        metrics["portfolio.mean"] = language.percent(fmean(result.probability for result in results))
    for column, (key, value) in zip(st.columns(len(metrics)), metrics.items(), strict=True):
        column.metric(language.text(key), value)
    if results:
        st.header(language.text("portfolio.distribution"), anchor=False)
        st.altair_chart(_draw_histogram(state, scored))
        limits = components.thresholds(state.model.policy, language)
        st.caption(language.text("portfolio.average", limits=limits) if state.model.policy.money else limits)
        _show_money(state, results)
        _show_rules(state, results)
    st.header(language.text("portfolio.table"), anchor=False)
    st.dataframe(
        _frame(state, scored),
        hide_index=True,
        column_config={language.text("column.probability"): st.column_config.NumberColumn(format="percent")},
        alt=language.text("portfolio.table"),
    )
    st.download_button(
        language.text("portfolio.download"),
        write_results(state.table, scored, state.model, language),
        file_name=f"results-{state.table.sha256[:8]}.csv",
        mime="text/csv",
        on_click="ignore",
        type="primary",
    )


def _show_money(state: AppState, results: Sequence[Result]) -> None:
    """Sums over the accepted, of those whose exposure is known."""
    if state.model.policy.money is None:
        return
    language = state.language
    accepted = [one for one in results if one.decision == "accept" and one.expected_profit is not None]
    sums = {
        "portfolio.profit": sum(one.expected_profit or 0.0 for one in accepted),
        "portfolio.loss": sum(one.expected_loss or 0.0 for one in accepted),
    }
    for column, (key, value) in zip(st.columns(len(sums)), sums.items(), strict=True):
        column.metric(language.text(key), write_amount(value, state.model, language))


def _show_rules(state: AppState, results: Sequence[Result]) -> None:
    """How many applicants each rule decided."""
    if not state.model.policy.rules:
        return
    language, counts = state.language, Counter(name for one in results for name in one.rules)
    st.header(language.text("rules.count"), anchor=False)
    pairs = {language.translate(rule.name): language.number(counts[rule.name]) for rule in state.model.policy.rules}
    st.html(components.facts(pairs))


def _draw_histogram(state: AppState, scored: ScoredTable) -> alt.Chart:
    """Histogram of the probabilities, one colour per decision; counted here, so that the chart holds no applicants."""
    language = state.language
    results = pd.DataFrame(
        {
            "low": [min(int(result.probability * BINS), BINS - 1) / BINS for result in scored.results.values()],
            "decision": [result.decision for result in scored.results.values()],
        }
    )
    counts = results.value_counts().rename("count").reset_index()
    counts["high"] = counts["low"] + 1 / BINS
    zones = {name for name, *_ in components.decision_zones(state.model.policy)}
    names = {
        decision: language.text(f"decision.{decision}")
        for decision in COLOURS
        if decision in zones or decision in set(results["decision"])
    }
    counts["name"] = counts["decision"].map(names)
    chart: alt.Chart = (
        alt.Chart(counts)
        .mark_bar(binSpacing=1)
        .encode(
            x=alt.X("low:Q", bin="binned", title=language.text("portfolio.axis"), axis=alt.Axis(format="%")),
            x2="high:Q",
            y=alt.Y("count:Q", title=language.text("portfolio.count")),
            color=alt.Color(
                "name:N",
                title=None,
                scale=alt.Scale(domain=list(names.values()), range=[COLOURS[name] for name in names]),
                legend=alt.Legend(orient="top"),
            ),
            tooltip=[alt.Tooltip("name:N", title=" "), alt.Tooltip("count:Q", title=language.text("portfolio.count"))],
        )
        .properties(height=240, description=language.text("portfolio.distribution"))
    )
    return chart


def _frame(state: AppState, scored: ScoredTable) -> pd.DataFrame:
    """The results with texts in the reader's language."""
    language, fields = state.language, {field.name: field for field in state.model.fields}
    further = further_columns(scored, state.model)
    lines: list[tuple[object, ...]] = []
    for row, (name, applicant) in enumerate(zip(state.table.ids, state.table.applicants, strict=True)):
        result = scored.results.get(row)
        if result is None:
            fault = describe_fault(state.table, row, scored.errors.get(row, ""), language)
            lines.append((name, None, None, None, *[None] * len(further), "", fault))
            continue
        reasons = "; ".join(
            localize_reason(reason, applicant, fields[reason.field], language) for reason in result.reasons
        )
        decision = language.text(f"decision.{result.decision}")
        cells = read_further(result, state.model)
        scalars = (round(cell, 2) if isinstance(cell, float) else cell for cell in map(cells.get, further))
        lines.append((name, decision, round(result.probability, 4), result.points, *scalars, reasons, ""))
    columns = ("id", "decision", "probability", "points", "reasons", "fault")
    heads = [language.text(f"column.{column}") for column in columns]
    further = [language.texts.get(f"column.{column}", column) for column in further]
    frame = pd.DataFrame(lines, columns=[*heads[:4], *further, *heads[4:]])
    return frame if scored.errors else frame.iloc[:, :-1]
