"""What every view works with: the service, its model, the reader's language, the table of applicants."""

from __future__ import annotations

from dataclasses import dataclass

from client.answers import Model
from client.api import Api
from client.language import Language
from client.population import Population
from client.table import Table


@dataclass(frozen=True, slots=True)
class Desk:
    """One visitor's desk; a table without applicants stands for none."""

    api: Api
    url: str
    model: Model
    language: Language
    table: Table
    population: Population
