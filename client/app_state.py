"""State that every view receives: the API client, the model, the language and the table of applicants."""

from __future__ import annotations

from dataclasses import dataclass

from client.api import Api
from client.cases import Recording
from client.language import Language
from client.population import Population
from client.responses import Model
from client.table import Table


@dataclass(frozen=True, slots=True)
class AppState:
    """State of one session during one run of the page; `table` has no applicants if none is loaded."""

    api: Api
    url: str
    model: Model
    language: Language
    table: Table
    population: Population
    recording: Recording
