"""Credits at other lenders as the credit bureau reports them, with their monthly status.

bureau_balance (one row per credit and month) is aggregated to one row per credit and joined to bureau (one row per
credit), which is aggregated to one row per applicant: over all credits, the active ones, the closed ones.
"""

from __future__ import annotations

from train.features.recipe import Category, Child, Number, Recipe, Scope

MONTHS = Recipe(
    name="bureau_balance",
    file="bureau_balance",
    key="SK_ID_BUREAU",
    scopes=(Scope("", "Credit at another lender, month by month"),),
    numbers=(Number("MONTHS_BALANCE", "month, 0 at the application", "months", ("min", "max", "size")),),
    categories=(Category("STATUS", "status"),),
)

BUREAU = Recipe(
    name="bureau",
    file="bureau",
    key="SK_ID_CURR",
    scopes=(
        Scope("BURO", "Credits at other lenders"),
        Scope("ACTIVE", "Active credits at other lenders", "CREDIT_ACTIVE", "Active"),
        Scope("CLOSED", "Closed credits at other lenders", "CREDIT_ACTIVE", "Closed"),
    ),
    numbers=(
        Number("DAYS_CREDIT", "day of the request, 0 at the application", "days", ("min", "max", "mean", "var")),
        Number("DAYS_CREDIT_ENDDATE", "days left of the credit", "days", ("min", "max", "mean")),
        Number("DAYS_CREDIT_UPDATE", "day of the last report, 0 at the application", "days", ("mean",)),
        Number("CREDIT_DAY_OVERDUE", "days overdue now", "days", ("max", "mean")),
        Number("AMT_CREDIT_MAX_OVERDUE", "highest amount ever overdue", "currency units", ("mean",)),
        Number("AMT_CREDIT_SUM", "amount of the credit", "currency units", ("max", "mean", "sum")),
        Number("AMT_CREDIT_SUM_DEBT", "debt now", "currency units", ("max", "mean", "sum")),
        Number("AMT_CREDIT_SUM_OVERDUE", "amount overdue now", "currency units", ("mean",)),
        Number("AMT_CREDIT_SUM_LIMIT", "limit of the credit card", "currency units", ("mean", "sum")),
        Number("AMT_ANNUITY", "annuity", "currency units", ("max", "mean")),
        Number("CNT_CREDIT_PROLONG", "times prolonged", "", ("sum",)),
    ),
    categories=(
        Category("CREDIT_ACTIVE", "status"),
        Category("CREDIT_CURRENCY", "currency"),
        Category("CREDIT_TYPE", "type"),
    ),
    child=Child(
        MONTHS,
        numbers=(
            Number("MONTHS_BALANCE_MIN", "first month on record", "months", ("min",)),
            Number("MONTHS_BALANCE_MAX", "last month on record", "months", ("max",)),
            Number("MONTHS_BALANCE_SIZE", "number of months on record", "months", ("mean", "sum")),
        ),
    ),
)
