"""The three views of the page; a view is a function of the desk."""

from __future__ import annotations

from collections.abc import Callable

from client.desk import Desk
from client.views.compare import show_compare
from client.views.one import show_one
from client.views.portfolio import show_portfolio

VIEWS: dict[str, Callable[[Desk], None]] = {"one": show_one, "compare": show_compare, "portfolio": show_portfolio}
"""Name in the address → what shows it; `view.<name>` is its text."""
