"""Charts: where values stand, what is written, and that nothing leaves the picture."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.estimates import Estimate
from model.formatting import format_share
from monitor.pages.charts import (
    Band,
    Bar,
    Series,
    bar_list,
    calibration_plot,
    figure,
    line_chart,
    number_table,
    share_bars,
    stacked_bars,
)
from monitor.pages.markup import render
from monitor.pages.plot import WIDTH
from tests.monitor.html import read_html

MONTHS = ["2026-01", "2026-02", "2026-03"]
NUMBERS = ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height")

values = st.lists(st.one_of(st.none(), st.floats(0, 1e9)), max_size=40)


def texts(chart: Element) -> list[str]:
    """What is written in a chart."""
    return [text.text or "" for text in chart.iter("text")]


def list_coordinates(chart: Element) -> list[tuple[str, float]]:
    """All coordinates of a chart, by the name of their attribute."""
    single = [(name, float(part.get(name, 0))) for part in chart.iter() for name in NUMBERS if name in part.attrib]
    pairs = [pair.split(",") for line in chart.iter("polyline") for pair in line.get("points", "").split()]
    return [*single, *(("x", float(x)) for x, _ in pairs), *(("y", float(y)) for _, y in pairs)]


def assert_within(chart: Element) -> None:
    """Nothing is drawn outside of the picture."""
    height = float(chart.get("viewBox", "").split()[3])
    for name, value in list_coordinates(chart):
        assert 0 <= value <= (height if name in ("y", "y1", "y2", "cy", "height") else WIDTH)


@given(values, st.booleans())
def test_lines_stay_within_the_picture(numbers: list[float | None], has_reference: bool) -> None:
    """For any values, with gaps, of any size."""
    labels = [f"2026-{index:02}" for index in range(len(numbers))]
    reference = ("at training", 0.5) if has_reference else None

    chart = line_chart("Rate", labels, [Series("observed", numbers)], format_share, reference=reference)

    assert_within(chart)
    assert len(list(chart.iter("circle"))) == sum(number is not None for number in numbers)


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)), max_size=40))
def test_stacked_bars_stay_within_the_picture(pairs: list[tuple[float, float]]) -> None:
    """Also where all values are 0."""
    series = [Series("accepted", [one for one, _ in pairs], "green"), Series("refused", [two for _, two in pairs])]

    assert_within(stacked_bars("Decisions", [str(index) for index in range(len(pairs))], series, format_share))


@given(st.lists(st.tuples(st.text(max_size=40), st.floats(0, 50), st.floats(0, 50)), max_size=20))
def test_horizontal_bars_stay_within_the_picture(rows: list[tuple[str, float, float]]) -> None:
    """One longer than the axis is cut off, and its value is written."""
    bars = [Bar(label, value, noise) for label, value, noise in rows]

    chart = bar_list("PSI", bars, format_share, (0.1, 0.25))

    assert_within(chart)
    assert texts(chart)[1 : 2 * len(rows) : 2] == [format_share(bar.value) for bar in bars]


@pytest.mark.parametrize(
    ("label", "lines"),
    [
        ("Monthly income", ["Monthly income"]),
        ("Negative credit record", ["Negative credit record"]),
        ("Negative credit records of the last year", ["Negative credit records", "of the last year"]),
        ("W" * 30, ["W" * 25, "W" * 5]),
        ("word " * 40, ["word word word word word", "word word word word word…"]),
    ],
)
def test_a_long_label_has_two_lines(label: str, lines: list[str]) -> None:
    """In smaller letters, and its whole text as a title."""
    chart = bar_list("PSI", [Bar(label, 0.2)], format_share)

    written = [span.text for span in chart.iter("tspan")] or texts(chart)[:1]
    assert written == lines
    assert f"{label}: 20%" in [title.text for title in chart.iter("title")]


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=10))
def test_shares_stay_within_the_picture(pairs: list[tuple[float, float]]) -> None:
    """Expected and seen."""
    expected, seen = [one for one, _ in pairs], [two for _, two in pairs]

    assert_within(share_bars("Income", [str(index) for index in range(len(pairs))], expected, seen, format_share))


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)), max_size=10))
def test_calibration_stays_within_the_picture(rows: list[tuple[float, float, float]]) -> None:
    """For any probabilities and rates."""
    points = [(predicted, Estimate(rate, rate * low, 1.0)) for predicted, rate, low in rows]

    assert_within(calibration_plot("Calibration", points, format_share))


def test_a_missing_value_interrupts_a_line() -> None:
    """And a value between two gaps is a point alone."""
    chart = line_chart("Rate", MONTHS, [Series("observed", [0.1, None, 0.2])], format_share)

    assert [len(line.get("points", "").split()) for line in chart.iter("polyline")] == [1, 1]


def test_axes_are_round_numbers() -> None:
    """From 0, or from the lower end given, to beyond the highest interval."""
    intervals = [Estimate(0.1, 0.05, 0.19)] * 3
    chart = line_chart("Rate", MONTHS, [Series("rate", [0.1, 0.1, 0.1], intervals=intervals)], format_share)
    assert texts(chart) == ["rate", "0%", "5%", "10%", "15%", "20%", *MONTHS]

    chart = line_chart("AUC", MONTHS, [Series("rate", [0.7, 0.8, 0.9])], format_share, low=0.5)
    assert texts(chart)[:6] == ["rate", "50%", "60%", "70%", "80%", "90%"]


def test_labels_are_left_out_where_there_is_no_room() -> None:
    """The first one always stands."""
    labels = [f"2026-01-{day:02}" for day in range(1, 31)]
    chart = line_chart("Rate", labels, [Series("", [0.0] * 30)], format_share)

    written = [text for text in texts(chart) if text in labels]
    assert written[0] == labels[0]
    assert len(written) <= WIDTH / (6 * len(labels[0]))


def test_a_band_and_a_reference_are_named() -> None:
    """In the legend, as are the series."""
    chart = line_chart(
        "Ratio",
        MONTHS,
        [Series("observed", [1.0, 1.5, 1.5])],
        format_share,
        reference=("as predicted", 1.0),
        band=Band("change", 0.5, 1.0, 1.5),
    )

    assert texts(chart)[:3] == ["observed", "as predicted", "change"]
    assert len(list(chart.iter("rect"))) == 1


def test_a_chart_without_values_says_so() -> None:
    """Instead of empty axes."""
    assert "nothing to show yet" in texts(line_chart("Rate", MONTHS, [Series("", [None] * 3)], format_share))


@pytest.mark.parametrize("label", ["<script>", '"><img src=x>', "&lt;"])
def test_labels_are_text(label: str) -> None:
    """In titles, legends, tooltips and tables."""
    series = [Series(label, [0.5])]
    found = read_html(
        render(
            figure(
                line_chart(label, [label], series, format_share),
                label,
                label,
                number_table(label, [label], series, format_share),
            )
        )
        + render(bar_list(label, [Bar(label, 0.2)], format_share))
    )

    assert not {"script", "img"} & set(found.tags)
    assert found.text.count(label) == 12


def test_a_chart_is_a_picture_with_a_name() -> None:
    """And without an inline style, which the strictest policy of content forbids."""
    chart = figure(line_chart("Rate", MONTHS, [Series("", [0.1] * 3, opacity=0.5)], format_share), "Rate")
    svg = next(chart.iter("svg"))

    assert (svg.get("role"), svg.get("aria-label")) == ("img", "Rate")
    assert " style=" not in render(chart)


def test_numbers_of_a_chart_are_a_table() -> None:
    """With – where a value is missing."""
    made = number_table("Rates", MONTHS[:2], [Series("observed", [0.1, None])], format_share, "month")

    cells = [[cell.text for cell in row] for row in made.iter("tr")]
    assert cells == [["month", "observed"], ["2026-01", "10%"], ["2026-02", "–"]]
