"""Trees of elements, written as HTML5."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.pages.markup import append, element, fold, render, table
from tests.monitor.html import read_html


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0")))
def test_text_and_attributes_are_read_as_they_were_given(text: str) -> None:
    """Whatever a label holds, it is text: no element and no attribute comes from it."""
    found = read_html(render(element("p", text, element("b", text), text, title=text)))

    assert found.tags == ["p", "b"]
    assert found.attributes == [text]
    assert found.text == text * 3


def test_children_and_attributes_keep_their_order() -> None:
    """None is left out, and an underscore stands for a hyphen."""
    made = element("label", "a ", element("b", "b"), None, " c", class_="x", for_="f", aria_label="l", title=None)

    assert render(append(made, "!")) == '<label class="x" for="f" aria-label="l">a <b>b</b> c!</label>'


def test_void_elements_are_not_closed() -> None:
    """As HTML5 wants it."""
    assert render(element("meta", charset="utf-8")) == '<meta charset="utf-8">'


def test_a_table_scrolls_and_names_its_rows() -> None:
    """It can be scrolled with the keyboard alone, and says what it is."""
    html = render(table("Rates", ["month", "rate"], [["2026-01", "1%"]]))

    assert html == (
        '<div class="scroll" role="region" tabindex="0" aria-label="Rates"><table>'
        '<thead><tr><th scope="col">month</th><th scope="col">rate</th></tr></thead>'
        '<tbody><tr><th scope="row">2026-01</th><td>1%</td></tr></tbody></table></div>'
    )


def test_content_is_folded_under_a_summary() -> None:
    """Shown on demand."""
    assert render(fold("Numbers", element("p"))) == "<details><summary>Numbers</summary><p></p></details>"
