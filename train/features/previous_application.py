"""Earlier applications at the same lender: all, the approved ones, the refused ones."""

from __future__ import annotations

import ibis.expr.types as ir

from train.features.recipe import Category, Number, Recipe, Scope

RANGE = ("min", "max", "mean")


def derive(table: ir.Table) -> ir.Table:
    """Add the ratio of the amount applied for to the amount granted."""
    return table.mutate(APP_CREDIT_PERC=table.AMT_APPLICATION / table.AMT_CREDIT.nullif(0))


PREVIOUS_APPLICATION = Recipe(
    name="previous_application",
    file="previous_application",
    key="SK_ID_CURR",
    scopes=(
        Scope("PREV", "Earlier applications here"),
        Scope("APPROVED", "Approved earlier applications here", "NAME_CONTRACT_STATUS", "Approved"),
        Scope("REFUSED", "Refused earlier applications here", "NAME_CONTRACT_STATUS", "Refused"),
    ),
    numbers=(
        Number("AMT_ANNUITY", "annuity", "currency units", RANGE),
        Number("AMT_APPLICATION", "amount asked for", "currency units", RANGE),
        Number("AMT_CREDIT", "amount granted", "currency units", RANGE),
        Number(
            "APP_CREDIT_PERC",
            "ratio of amount asked for to amount granted",
            "",
            (*RANGE, "var"),
            needs=("AMT_APPLICATION", "AMT_CREDIT"),
        ),
        Number("AMT_DOWN_PAYMENT", "down payment", "currency units", RANGE),
        Number("AMT_GOODS_PRICE", "price of the goods", "currency units", RANGE),
        Number("HOUR_APPR_PROCESS_START", "hour of the day of applying", "", RANGE),
        Number("RATE_DOWN_PAYMENT", "share of the down payment", "", RANGE),
        Number("DAYS_DECISION", "day of the decision, 0 at this application", "days", RANGE),
        Number("CNT_PAYMENT", "term of the credit", "months", ("mean", "sum")),
    ),
    categories=(
        Category("NAME_CONTRACT_TYPE", "product"),
        Category("WEEKDAY_APPR_PROCESS_START", "weekday of applying"),
        Category("FLAG_LAST_APPL_PER_CONTRACT", "mark as last application of its contract"),
        Category("NAME_CASH_LOAN_PURPOSE", "purpose"),
        Category("NAME_CONTRACT_STATUS", "outcome"),
        Category("NAME_PAYMENT_TYPE", "way of payment"),
        Category("CODE_REJECT_REASON", "reason of refusal"),
        Category("NAME_TYPE_SUITE", "company when applying"),
        Category("NAME_CLIENT_TYPE", "kind of client"),
        Category("NAME_GOODS_CATEGORY", "goods"),
        Category("NAME_PORTFOLIO", "portfolio"),
        Category("NAME_PRODUCT_TYPE", "way of sale"),
        Category("CHANNEL_TYPE", "channel"),
        Category("NAME_SELLER_INDUSTRY", "industry of the seller"),
        Category("NAME_YIELD_GROUP", "interest group"),
        Category("PRODUCT_COMBINATION", "product combination"),
    ),
    derive=derive,
)
