"""Monthly balances of credit cards at the same lender: every statistic of every column."""

from __future__ import annotations

from train.features.recipe import Category, Number, Recipe, Scope

ALL = ("min", "max", "mean", "sum", "var")

LABELS = {
    "MONTHS_BALANCE": ("month, 0 at the application", "months"),
    "AMT_BALANCE": ("balance", "currency units"),
    "AMT_CREDIT_LIMIT_ACTUAL": ("limit", "currency units"),
    "AMT_DRAWINGS_ATM_CURRENT": ("drawings at cash machines", "currency units"),
    "AMT_DRAWINGS_CURRENT": ("drawings", "currency units"),
    "AMT_DRAWINGS_OTHER_CURRENT": ("other drawings", "currency units"),
    "AMT_DRAWINGS_POS_CURRENT": ("drawings for goods", "currency units"),
    "AMT_INST_MIN_REGULARITY": ("smallest instalment due", "currency units"),
    "AMT_PAYMENT_CURRENT": ("payment", "currency units"),
    "AMT_PAYMENT_TOTAL_CURRENT": ("payment in all", "currency units"),
    "AMT_RECEIVABLE_PRINCIPAL": ("principal owed", "currency units"),
    "AMT_RECIVABLE": ("amount owed", "currency units"),
    "AMT_TOTAL_RECEIVABLE": ("amount owed in all", "currency units"),
    "CNT_DRAWINGS_ATM_CURRENT": ("number of drawings at cash machines", ""),
    "CNT_DRAWINGS_CURRENT": ("number of drawings", ""),
    "CNT_DRAWINGS_OTHER_CURRENT": ("number of other drawings", ""),
    "CNT_DRAWINGS_POS_CURRENT": ("number of drawings for goods", ""),
    "CNT_INSTALMENT_MATURE_CUM": ("number of instalments paid", ""),
    "SK_DPD": ("days past due", "days"),
    "SK_DPD_DEF": ("days past due beyond tolerance", "days"),
}

CREDIT_CARD = Recipe(
    name="credit_card",
    file="credit_card_balance",
    key="SK_ID_CURR",
    scopes=(Scope("CC", "Months of credit cards here"),),
    numbers=tuple(Number(name, label, unit, ALL) for name, (label, unit) in LABELS.items()),
    categories=(Category("NAME_CONTRACT_STATUS", "status", ALL),),
    has_count=True,
)
