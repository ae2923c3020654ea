"""HTML and SVG as trees of elements: text and attributes are escaped when they are written, whatever they hold.

No element carries a `style` attribute or a script, so that the pages work under the strictest Content-Security-Policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, tostring

Child = str | Element | None


def element(tag: str, *children: Child, **attributes: str | float | None) -> Element:
    """An element of HTML or SVG; a child or an attribute that is None is left out.

    `class_`, `data_label`, `for_`: an underscore stands for a hyphen, and the last one isn't written.
    """
    written = {_name(name): str(value) for name, value in attributes.items() if value is not None}
    return append(Element(tag, written), *children)


def append(parent: Element, *children: Child) -> Element:
    """Add children to an element, and return it."""
    for child in children:
        if isinstance(child, str):
            _append_text(parent, child)
        elif child is not None:
            parent.append(child)
    return parent


def render(root: Element) -> str:
    """The element as HTML5; void elements aren't closed."""
    return tostring(root, encoding="unicode", method="html")


def table(caption: str, headers: Sequence[Child], rows: Sequence[Sequence[Child]], *, is_text: bool = False) -> Element:
    """A table that scrolls sideways on a narrow screen; the first cell of each row is its heading.

    `caption` is for those who don't see the page. `is_text`: all columns are aligned to the left.
    """
    head = element("tr", *(element("th", header, scope="col") for header in headers))
    body = [
        element("tr", element("th", first, scope="row"), *(element("td", cell) for cell in cells))
        for first, *cells in rows
    ]
    made = element("table", element("thead", head), element("tbody", *body), class_="text" if is_text else None)
    return element("div", made, class_="scroll", role="region", tabindex=0, aria_label=caption)


def fold(summary: str, *children: Child) -> Element:
    """Content that is shown on demand, and always in print."""
    return element("details", element("summary", summary), *children)


def _name(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _append_text(parent: Element, text: str) -> None:
    # Text follows either the opening tag of the parent or the last of its children.
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text
