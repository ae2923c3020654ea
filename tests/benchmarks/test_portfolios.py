"""Made-up portfolios: the same for a seed, with outcomes as often as their chances say, and what each is made for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from benchmarks.drifting import BREAK, BROKEN, LENDER, MONTHLY, STABLE, draw_months
from benchmarks.home_equity import ROWS, draw_home_equity
from benchmarks.portfolios import Portfolio
from benchmarks.small_business import CRISIS, ROUND_TERMS, draw_small_business
from model.estimates import auc

Draw = Callable[[int], Portfolio]

DRAWS: dict[str, Draw] = {
    "stable": lambda seed: draw_months(seed, STABLE),
    "break": lambda seed: draw_months(seed, BROKEN),
    "home equity": draw_home_equity,
    "small business": draw_small_business,
}

MAX_ERRORS = 4.0
"""Standard errors by which a default rate may differ from its mean chance."""


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_a_seed_gives_the_same_rows_and_another_seed_others(draw: Draw) -> None:
    """Nothing depends on anything but the seed."""
    portfolio = draw(1)

    pd.testing.assert_frame_equal(draw(1).table, portfolio.table)
    assert not draw(2).table.equals(portfolio.table)


@pytest.mark.parametrize("name", ["stable", "break", "small business"])
def test_as_many_rows_default_as_their_chances_say(name: str) -> None:
    """The mean chance is the default rate, but for chance; rows of home equity share outcomes, which adds to it."""
    portfolio = DRAWS[name](1)
    defaults, chance = portfolio.table[portfolio.target], portfolio.chance

    error = np.sqrt((chance * (1 - chance)).sum()) / len(chance)
    assert defaults.mean() == pytest.approx(chance.mean(), abs=MAX_ERRORS * error)


def test_months_change_from_the_break_on_alone() -> None:
    """The months before are drawn as if nothing would change."""
    stable, broken = draw_months(1, STABLE), draw_months(1, BROKEN)
    before = BREAK * MONTHLY

    inputs = stable.table.columns.drop("Default")
    pd.testing.assert_frame_equal(broken.table[inputs].head(before), stable.table[inputs].head(before))
    assert stable.chance.mean() == pytest.approx(LENDER.default_rate, abs=0.01)
    assert broken.chance[before:].mean() > 1.4 * stable.chance[before:].mean()


def test_home_equity_has_informative_missing_values_and_rows_of_the_same_customer() -> None:
    """One in five defaults, half of those without DEBTINC, and as many near-duplicates as there are repeated rows."""
    table = draw_home_equity(1).table
    has_no_debt = table["DEBTINC"].isna()

    assert len(table) == ROWS
    assert 0.15 < table["BAD"].mean() < 0.25
    assert 0.15 < has_no_debt.mean() < 0.25
    assert table["BAD"][has_no_debt].mean() > 4 * table["BAD"][~has_no_debt].mean()
    repeated = table.duplicated(["YOJ", "CLNO", "NINQ", "DELINQ", "DEROG", "JOB", "REASON"], keep=False)
    assert repeated.mean() > 0.4


def test_small_businesses_default_with_odd_terms_and_in_the_crisis() -> None:
    """The chances rank nearly perfectly, because of terms that hardly default, and the last fifth defaults more."""
    portfolio = draw_small_business(1)
    table = portfolio.table

    is_round, is_crisis = table["Term"].isin(ROUND_TERMS), table["ApprovalFY"] >= CRISIS
    assert is_crisis.mean() == pytest.approx(3 / 14, abs=0.001)
    assert table["Default"][is_crisis].mean() > 1.25 * table["Default"][~is_crisis].mean()
    assert table["Default"][~is_round].mean() > 8 * table["Default"][is_round].mean()
    assert auc(table["Default"].to_numpy(np.int64), portfolio.chance).value > 0.95
