"""Instalments of loans at the same lender: due and paid amounts and dates."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from train.features.recipe import Number, Recipe, Scope


def derive(table: ir.Table) -> ir.Table:
    """Add days past and before due (at least 0; missing where nothing was paid), share and rest of each payment."""
    late = table.DAYS_ENTRY_PAYMENT - table.DAYS_INSTALMENT
    return table.mutate(
        DPD=_positive_part(late),
        DBD=_positive_part(-late),
        PAYMENT_PERC=table.AMT_PAYMENT / table.AMT_INSTALMENT.nullif(0),
        PAYMENT_DIFF=table.AMT_INSTALMENT - table.AMT_PAYMENT,
    )


def _positive_part(days: ir.Value) -> ir.Value:
    # Not greatest(days, 0), which is 0 for a missing value.
    return ibis.cases((days > 0, days), (days <= 0, 0.0))


TOTALS = ("max", "mean", "sum")
DAYS = ("DAYS_ENTRY_PAYMENT", "DAYS_INSTALMENT")
AMOUNTS = ("AMT_PAYMENT", "AMT_INSTALMENT")

INSTALLMENTS = Recipe(
    name="installments",
    file="installments_payments",
    key="SK_ID_CURR",
    scopes=(Scope("INSTAL", "Instalments paid here"),),
    numbers=(
        Number("NUM_INSTALMENT_VERSION", "payment plan", "", ("nunique",)),
        Number("DPD", "days paid late", "days", TOTALS, needs=DAYS),
        Number("DBD", "days paid early", "days", TOTALS, needs=DAYS),
        Number("PAYMENT_PERC", "share of the instalment that was paid", "", (*TOTALS, "var"), needs=AMOUNTS),
        Number("PAYMENT_DIFF", "rest left unpaid", "currency units", (*TOTALS, "var"), needs=AMOUNTS),
        Number("AMT_INSTALMENT", "instalment due", "currency units", TOTALS),
        Number("AMT_PAYMENT", "payment", "currency units", ("min", *TOTALS)),
        Number("DAYS_ENTRY_PAYMENT", "day of the payment, 0 at the application", "days", TOTALS),
    ),
    derive=derive,
    has_count=True,
)
