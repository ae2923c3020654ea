"""The files of a points table: what they are called, and how they are made and removed."""

from __future__ import annotations

from pathlib import Path

from model.contract import Contract
from train.points_table.bins import ContractScorecard
from train.points_table.csv_file import HEADING, render_csv
from train.points_table.page import render_page
from train.points_table.sql import find_clash, render_sql
from train.points_table.workbook import render_workbook

NAMES = PAGE, CSV, SQL, WORKBOOK = "scorecard.html", "scorecard.csv", "scorecard.sql", "scorecard.xlsx"

TABLE = "applicants"
"""The table that scorecard.sql reads, unless another is named."""


def render(contract: Contract, folder: Path, table: str = TABLE) -> dict[Path, bytes]:
    """The files of a scorecard in a folder; none for another model. `table`: what scorecard.sql reads.

    There is no scorecard.sql for fields whose names differ only in case.
    """
    if contract.scorecard is None:
        return {}
    described = ContractScorecard(contract, contract.scorecard)
    files = {
        folder / PAGE: render_page(described),
        folder / CSV: render_csv(described),
        folder / WORKBOOK: render_workbook(described),
    }
    if find_clash(contract) is None:
        files[folder / SQL] = render_sql(described, table)
    return files


def explain_no_sql(contract: Contract) -> str | None:
    """Why a scorecard has no scorecard.sql; None where it has, and for another model."""
    clash = None if contract.scorecard is None else find_clash(contract)
    if clash is None:
        return None
    return (
        f"No {SQL}: {clash[0]!r} and {clash[1]!r} differ only in case, and SQL takes them as one column; "
        "rename one in the table and the card to have it."
    )


def list_files(folder: Path) -> list[Path]:
    """The points table that is in a folder; none where scorecard.csv is another's file. Raises OSError."""
    path = folder / CSV
    if not path.is_file():
        return []
    with path.open("rb") as file:
        is_ours = file.readline() == HEADING
    return [folder / name for name in NAMES] if is_ours else []
