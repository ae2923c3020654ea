"""The application table: its columns unchanged, and five ratios.

Categories aren't one-hot encoded here but in the pipeline, so that a reason names a field ("Occupation") and not one of
its levels. Gender, family status and age are protected: kept for the fairness report, never inputs. So is the ratio
that contains the age.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis.expr.types as ir

from train.card import CardField

FILE, ID, TARGET = "application_train", "SK_ID_CURR", "TARGET"

UNEMPLOYED = 365243
"""DAYS_EMPLOYED of applicants without employment: a sentinel for a missing value."""

MONEY, PROTECTED = "currency units", "Protected: kept for the fairness report, never an input of the model."


@dataclass(frozen=True, slots=True)
class Ratio:
    """The ratio of two columns; missing where the divisor is 0."""

    name: str
    numerator: str
    denominator: str
    field: CardField


def _number(label: str, unit: str = "") -> CardField:
    return CardField(label=label, kind="number", unit=unit)


def _category(label: str) -> CardField:
    return CardField(label=label, kind="category", nullable=True)


def _protected(field: CardField, note: str = PROTECTED) -> CardField:
    return CardField(label=field.label, kind=field.kind, unit=field.unit, nullable=field.nullable, use=False, note=note)


BUILDING = {
    "APARTMENTS": "apartments",
    "BASEMENTAREA": "basement area",
    "YEARS_BEGINEXPLUATATION": "years in use",
    "YEARS_BUILD": "age of the building",
    "COMMONAREA": "common area",
    "ELEVATORS": "elevators",
    "ENTRANCES": "entrances",
    "FLOORSMAX": "highest number of floors",
    "FLOORSMIN": "lowest number of floors",
    "LANDAREA": "land area",
    "LIVINGAPARTMENTS": "apartments lived in",
    "LIVINGAREA": "living area",
    "NONLIVINGAPARTMENTS": "apartments not lived in",
    "NONLIVINGAREA": "area not lived in",
}
BUILDING_STATISTICS = {"AVG": "average", "MODE": "most common", "MEDI": "median"}
INQUIRIES = {
    "HOUR": "hour",
    "DAY": "day before that",
    "WEEK": "week before that",
    "MON": "month before that",
    "QRT": "quarter before that",
    "YEAR": "year before that",
}

FIELDS: dict[str, CardField] = {
    "NAME_CONTRACT_TYPE": _category("Product"),
    "CODE_GENDER": _protected(_category("Gender")),
    "FLAG_OWN_CAR": _category("Owns a car"),
    "FLAG_OWN_REALTY": _category("Owns a house or flat"),
    "CNT_CHILDREN": _number("Number of children"),
    "AMT_INCOME_TOTAL": _number("Income", MONEY),
    "AMT_CREDIT": _number("Amount of the loan", MONEY),
    "AMT_ANNUITY": _number("Annuity of the loan", MONEY),
    "AMT_GOODS_PRICE": _number("Price of the goods", MONEY),
    "NAME_TYPE_SUITE": _category("Company when applying"),
    "NAME_INCOME_TYPE": _category("Source of income"),
    "NAME_EDUCATION_TYPE": _category("Education"),
    "NAME_FAMILY_STATUS": _protected(_category("Family status")),
    "NAME_HOUSING_TYPE": _category("Housing"),
    "REGION_POPULATION_RELATIVE": _number("Population of the region, relative"),
    "DAYS_BIRTH": _protected(_number("Day of birth, 0 at the application", "days")),
    "DAYS_EMPLOYED": _number("Start of the employment, 0 at the application", "days"),
    "DAYS_REGISTRATION": _number("Last change of the registration, 0 at the application", "days"),
    "DAYS_ID_PUBLISH": _number("Last change of the identity document, 0 at the application", "days"),
    "OWN_CAR_AGE": _number("Age of the car", "years"),
    "FLAG_MOBIL": _number("Gave a mobile phone (1 = yes)"),
    "FLAG_EMP_PHONE": _number("Gave the employer's phone (1 = yes)"),
    "FLAG_WORK_PHONE": _number("Gave a phone at work (1 = yes)"),
    "FLAG_CONT_MOBILE": _number("Mobile phone could be reached (1 = yes)"),
    "FLAG_PHONE": _number("Gave a phone at home (1 = yes)"),
    "FLAG_EMAIL": _number("Gave an e-mail address (1 = yes)"),
    "OCCUPATION_TYPE": _category("Occupation"),
    "CNT_FAM_MEMBERS": _number("Members of the family"),
    "REGION_RATING_CLIENT": _number("Rating of the region (1 to 3)"),
    "REGION_RATING_CLIENT_W_CITY": _number("Rating of region and city (1 to 3)"),
    "WEEKDAY_APPR_PROCESS_START": _category("Weekday of applying"),
    "HOUR_APPR_PROCESS_START": _number("Hour of the day of applying"),
    "REG_REGION_NOT_LIVE_REGION": _number("Permanent and contact address in different regions (1 = yes)"),
    "REG_REGION_NOT_WORK_REGION": _number("Permanent and work address in different regions (1 = yes)"),
    "LIVE_REGION_NOT_WORK_REGION": _number("Contact and work address in different regions (1 = yes)"),
    "REG_CITY_NOT_LIVE_CITY": _number("Permanent and contact address in different cities (1 = yes)"),
    "REG_CITY_NOT_WORK_CITY": _number("Permanent and work address in different cities (1 = yes)"),
    "LIVE_CITY_NOT_WORK_CITY": _number("Contact and work address in different cities (1 = yes)"),
    "ORGANIZATION_TYPE": _category("Type of employer"),
    **{f"EXT_SOURCE_{i}": CardField(label=f"External score {i}", kind="number", risk="decreases") for i in (1, 2, 3)},
    **{
        f"{part}_{suffix}": _number(f"Building of the home: {words}, {statistic}")
        for suffix, statistic in BUILDING_STATISTICS.items()
        for part, words in BUILDING.items()
    },
    "FONDKAPREMONT_MODE": _category("Building of the home: repair fund"),
    "HOUSETYPE_MODE": _category("Building of the home: type"),
    "TOTALAREA_MODE": _number("Building of the home: total area, most common"),
    "WALLSMATERIAL_MODE": _category("Building of the home: walls"),
    "EMERGENCYSTATE_MODE": _category("Building of the home: in a state of emergency"),
    **{
        f"{kind}_{days}_CNT_SOCIAL_CIRCLE": _number(f"People around the applicant {words} {days} days past due")
        for days in (30, 60)
        for kind, words in {"OBS": "observed at", "DEF": "in default at"}.items()
    },
    "DAYS_LAST_PHONE_CHANGE": _number("Last change of the phone, 0 at the application", "days"),
    **{f"FLAG_DOCUMENT_{i}": _number(f"Gave document {i} (1 = yes)") for i in range(2, 22)},
    **{
        f"AMT_REQ_CREDIT_BUREAU_{name}": _number(f"Inquiries at the credit bureau: last {words}")
        for name, words in INQUIRIES.items()
    },
}

RATIOS = (
    Ratio(
        "DAYS_EMPLOYED_PERC",
        "DAYS_EMPLOYED",
        "DAYS_BIRTH",
        _protected(_number("Time in employment over age"), "Contains the age, which is protected: never an input."),
    ),
    Ratio("INCOME_CREDIT_PERC", "AMT_INCOME_TOTAL", "AMT_CREDIT", _number("Income over amount of the loan")),
    Ratio("INCOME_PER_PERSON", "AMT_INCOME_TOTAL", "CNT_FAM_MEMBERS", _number("Income a family member", MONEY)),
    Ratio("ANNUITY_INCOME_PERC", "AMT_ANNUITY", "AMT_INCOME_TOTAL", _number("Annuity over income")),
    Ratio("PAYMENT_RATE", "AMT_ANNUITY", "AMT_CREDIT", _number("Annuity over amount of the loan")),
)

TYPES = {"number": "float64", "category": "string"}
COLUMNS = {ID: "int64", TARGET: "int64", **{name: TYPES[field.kind] for name, field in FIELDS.items()}}

NEEDED = {
    ID: ["every feature"],
    TARGET: ["training; to compute an existing card's fields for new applications: --like CARD"],
    "CODE_GENDER": ["dropping the rows with XNA"],
} | {
    column: [ratio.name for ratio in RATIOS if column in (ratio.numerator, ratio.denominator)]
    for column in sorted({side for ratio in RATIOS for side in (ratio.numerator, ratio.denominator)})
}
"""Required column → what depends on it. Absent optional columns only cost their own feature, and are reported."""


def derive(table: ir.Table) -> ir.Table:
    """Drop rows of unknown gender (4 of 307,511), replace the sentinel by missing, add the ratios."""
    table = table.filter((table.CODE_GENDER != "XNA") | table.CODE_GENDER.isnull())
    table = table.mutate(DAYS_EMPLOYED=table.DAYS_EMPLOYED.nullif(UNEMPLOYED))
    return table.mutate(**{ratio.name: table[ratio.numerator] / table[ratio.denominator].nullif(0) for ratio in RATIOS})
