"""Monthly balances of instalment and cash loans at the same lender."""

from __future__ import annotations

from train.features.recipe import Category, Number, Recipe, Scope

POS_CASH = Recipe(
    name="pos_cash",
    file="POS_CASH_balance",
    key="SK_ID_CURR",
    scopes=(Scope("POS", "Months of loans here"),),
    numbers=(
        Number("MONTHS_BALANCE", "month, 0 at the application", "months", ("max", "mean", "size")),
        Number("SK_DPD", "days past due", "days", ("max", "mean")),
        Number("SK_DPD_DEF", "days past due beyond tolerance", "days", ("max", "mean")),
    ),
    categories=(Category("NAME_CONTRACT_STATUS", "status"),),
    has_count=True,
)
