"""The views of the user interface; each is a function of the AppState."""

from __future__ import annotations

from collections.abc import Callable

from client.app_state import AppState
from client.views.applicant import show_applicant
from client.views.cases import show_cases
from client.views.compare import show_comparison
from client.views.portfolio import show_portfolio

VIEWS: dict[str, Callable[[AppState], None]] = {
    "one": show_applicant,
    "compare": show_comparison,
    "portfolio": show_portfolio,
    "cases": show_cases,
}
"""`view` in the query string → the function that shows it; the key of its title is `view.<name>`."""
