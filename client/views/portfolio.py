"""A whole table: acceptance rate, distribution of the probabilities, results to download."""

from __future__ import annotations

from statistics import fmean

import altair as alt
import pandas as pd
import streamlit as st

from client import figures
from client.desk import Desk
from client.portfolio import Scored, score_table, write_results
from client.wording import word_reason

ROWS_AT_ONCE = 5_000
"""A larger table is scored when it is asked for, not at first sight."""

BINS = 40
COLOURS = {"accept": "#2f8f4c", "review": "#b07d10", "refuse": "#c4453e"}


def show_portfolio(desk: Desk) -> None:
    """Score the table once per model; the answer stays in the session."""
    language, rows = desk.language, len(desk.table.ids)
    if not rows:
        st.info(language.say("table.none"))
        return
    kept = f"scored {desk.table.sha256} {desk.model.sha256}"
    if kept not in st.session_state:
        total = language.number(rows)
        if rows > ROWS_AT_ONCE and not st.button(language.say("portfolio.big", rows=total), type="primary"):
            return
        bar = st.progress(0.0)
        for scored in score_table(desk.api, desk.table.applicants):
            done = len(scored.results) + len(scored.faults)
            bar.progress(done / rows, language.say("portfolio.running", done=language.number(done), rows=total))
        bar.empty()
        st.session_state[kept] = scored
    _show(desk, st.session_state[kept])


def _show(desk: Desk, scored: Scored) -> None:
    language = desk.language
    results = list(scored.results.values())
    figures_of = {
        "portfolio.applicants": language.number(len(desk.table.ids)),
        "portfolio.faulty": language.number(len(scored.faults)),
    }
    if results:
        accepted = sum(result.decision == "accept" for result in results) / len(results)
        figures_of["portfolio.accepted"] = language.percent(accepted)
        figures_of["portfolio.mean"] = language.percent(fmean(result.probability for result in results))
    for column, (key, value) in zip(st.columns(len(figures_of)), figures_of.items(), strict=True):
        column.metric(language.say(key), value)
    if results:
        st.header(language.say("portfolio.distribution"), anchor=False)
        st.altair_chart(_draw(desk, scored))
        st.caption(figures.thresholds(desk.model.policy, language))
    st.header(language.say("portfolio.table"), anchor=False)
    st.dataframe(
        _frame(desk, scored),
        hide_index=True,
        column_config={language.say("column.probability"): st.column_config.NumberColumn(format="percent")},
        alt=language.say("portfolio.table"),
    )
    st.download_button(
        language.say("portfolio.download"),
        write_results(desk.table, scored, desk.model.fields, language),
        file_name=f"results-{desk.table.sha256[:8]}.csv",
        mime="text/csv",
        on_click="ignore",
        type="primary",
    )


def _draw(desk: Desk, scored: Scored) -> alt.Chart:
    """Applicants by probability, a colour for each decision; counted here, so that no applicant is in the chart."""
    language = desk.language
    results = pd.DataFrame(
        {
            "low": [min(int(result.probability * BINS), BINS - 1) / BINS for result in scored.results.values()],
            "decision": [result.decision for result in scored.results.values()],
        }
    )
    counts = results.value_counts().rename("count").reset_index()
    counts["high"] = counts["low"] + 1 / BINS
    names = {decision: language.say(f"decision.{decision}") for decision, *_ in figures.zones(desk.model.policy)}
    counts["name"] = counts["decision"].map(names)
    chart: alt.Chart = (
        alt.Chart(counts)
        .mark_bar(binSpacing=1)
        .encode(
            x=alt.X("low:Q", bin="binned", title=language.say("portfolio.axis"), axis=alt.Axis(format="%")),
            x2="high:Q",
            y=alt.Y("count:Q", title=language.say("portfolio.count")),
            color=alt.Color(
                "name:N",
                title=None,
                scale=alt.Scale(domain=list(names.values()), range=[COLOURS[name] for name in names]),
                legend=alt.Legend(orient="top"),
            ),
            tooltip=[alt.Tooltip("name:N", title=" "), alt.Tooltip("count:Q", title=language.say("portfolio.count"))],
        )
        .properties(height=240, description=language.say("portfolio.distribution"))
    )
    return chart


def _frame(desk: Desk, scored: Scored) -> pd.DataFrame:
    """The results as people read them."""
    language, known = desk.language, {field.name: field for field in desk.model.fields}
    lines: list[tuple[object, ...]] = []
    for row, (name, applicant) in enumerate(zip(desk.table.ids, desk.table.applicants, strict=True)):
        result = scored.results.get(row)
        if result is None:
            lines.append((name, None, None, None, "", scored.faults.get(row, "")))
            continue
        reasons = "; ".join(word_reason(reason, applicant, known[reason.field], language) for reason in result.reasons)
        decision = language.say(f"decision.{result.decision}")
        lines.append((name, decision, round(result.probability, 4), result.points, reasons, ""))
    heads = ("id", "decision", "probability", "points", "reasons", "fault")
    frame = pd.DataFrame(lines, columns=[language.say(f"column.{head}") for head in heads])
    return frame if scored.faults else frame.iloc[:, :-1]
