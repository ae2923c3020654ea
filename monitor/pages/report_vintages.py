"""Section of monitor.html on vintages: default rate by months on book."""

from __future__ import annotations

from model.formatting import format_count, format_percent, format_share
from monitor.backtest import Backtest
from monitor.pages.charts import Series, figure, line_chart
from monitor.pages.markup import Child, element, table
from monitor.vintages import Vintage

DRAWN_VINTAGES = 12
"""Lines of the chart; the table has all vintages."""

SHOWN_MONTHS_ON_BOOK = (1, 2, 3, 4, 6, 9, 12, 15, 18, 24)


def show_vintages(backtest: Backtest) -> list[Child]:
    """Default rate by months on book, for the applicants accepted in each month."""
    vintages = [one for one in backtest.vintages if any(rate is not None for rate in one.rates)]
    if not vintages:
        return []
    drawn = vintages[-DRAWN_VINTAGES:]
    longest = 1 + max(month for one in drawn for month, rate in enumerate(one.rates) if rate is not None)
    series = [
        Series(one.month, _pad(one.rates, longest), "blue", opacity=_fade(index, len(drawn)))
        for index, one in enumerate(drawn)
    ]
    shown = [month for month in SHOWN_MONTHS_ON_BOOK if any(_rate(one, month) is not None for one in vintages)]
    rows: list[list[Child]] = [
        [
            element("span", one.month, class_="nowrap"),
            format_count(one.accepted),
            format_count(one.known),
            *(format_percent(_rate(one, month)) for month in shown),
        ]
        for one in vintages
    ]
    chart = line_chart("Vintages", [str(month) for month in range(longest)], series, format_share)
    latest = "The latest month" if len(drawn) == 1 else f"The latest {len(drawn)} months"
    text = f"{latest} with outcomes; the newest in full colour, older ones fainter."
    headers = ["accepted in", "accepted", "with outcome", *(f"{month} mo." for month in shown)]
    return [
        element(
            "p",
            "Share of the applicants accepted in a month that has defaulted within so many months after the decision "
            "(months on book, of 30 days or of the calendar; Kaplan–Meier estimate). A newer line above the older ones "
            "is an early warning.",
        ),
        figure(chart, "Cumulative default rate by months on book", text),
        table("Cumulative default rate by months on book", headers, rows),
    ]


def _pad(rates: list[float | None], length: int) -> list[float | None]:
    return [*rates, *[None] * length][:length]


def _rate(vintage: Vintage, month: int) -> float | None:
    return vintage.rates[month] if month < len(vintage.rates) else None


def _fade(index: int, count: int) -> float | None:
    """None for the newest line, else the fainter the older."""
    return None if index == count - 1 else 0.25 + 0.5 * index / count
