"""The table application_train, and the true probability of its target."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from benchmarks.home_credit.draw import Applicants, Columns, Floats, draw_amounts, draw_levels, mask, sigmoid

PARTS = [
    "APARTMENTS", "BASEMENTAREA", "YEARS_BEGINEXPLUATATION", "YEARS_BUILD", "COMMONAREA", "ELEVATORS", "ENTRANCES",
    "FLOORSMAX", "FLOORSMIN", "LANDAREA", "LIVINGAPARTMENTS", "LIVINGAREA", "NONLIVINGAPARTMENTS", "NONLIVINGAREA",
]  # fmt: skip
WEEKDAYS = {
    "TUESDAY": 18, "WEDNESDAY": 17, "MONDAY": 16, "THURSDAY": 16, "FRIDAY": 16, "SATURDAY": 11, "SUNDAY": 6,
}  # fmt: skip
OCCUPATIONS = {
    "Laborers": 55, "Sales staff": 32, "Core staff": 28, "Managers": 21, "Drivers": 19, "High skill tech staff": 11,
    "Accountants": 10, "Medicine staff": 9, "Security staff": 7, "Cooking staff": 6, "Cleaning staff": 5,
    "Private service staff": 3, "Low-skill Laborers": 2, "Waiters/barmen staff": 1, "Secretaries": 1,
    "Realty agents": 1, "HR staff": 1, "IT staff": 1,
}  # fmt: skip
EMPLOYERS = {
    "Business Entity Type 3": 68, "Self-employed": 38, "Other": 17, "Medicine": 11, "Business Entity Type 2": 11,
    "Government": 10, "School": 9, "Trade: type 7": 8, "Kindergarten": 7, "Construction": 7,
    "Business Entity Type 1": 6, "Transport: type 4": 5, "Trade: type 3": 3, "Industry: type 9": 3,
    "Security": 3, "Housing": 3, "Military": 3, "Bank": 3, "Police": 2, "Postal": 2, "Restaurant": 2, "University": 1,
    "Hotel": 1, "Culture": 0.4, "Religion": 0.1,
}  # fmt: skip


def draw_truth(applicants: Applicants) -> Floats:
    """The true probability of default of each applicant, shape (n,): about 8 % on average, as in the original."""
    return sigmoid(-2.9 + 1.1 * applicants.risk)


def draw_applications(random: np.random.Generator, applicants: Applicants, probability: Floats) -> Columns:
    """The columns of application_train, in the original's order."""
    n, risk = len(applicants.number), applicants.risk
    is_pensioner = random.random(n) < 0.18
    income = draw_amounts(random, 147_000, 0.5, n)
    amount = np.minimum(draw_amounts(random, 510_000, 0.7, n), 4_050_000)
    members = 1.0 + random.poisson(1.15, n)
    flag = {
        name: (random.random(n) < share).astype(np.int64)
        for name, share in {
            "FLAG_MOBIL": 0.99999, "FLAG_EMP_PHONE": 0.82, "FLAG_WORK_PHONE": 0.2, "FLAG_CONT_MOBILE": 0.998,
            "FLAG_PHONE": 0.28, "FLAG_EMAIL": 0.06,
        }.items()
    }  # fmt: skip
    differs = {
        name: (random.random(n) < share).astype(np.int64)
        for name, share in {
            "REG_REGION_NOT_LIVE_REGION": 0.015, "REG_REGION_NOT_WORK_REGION": 0.05,
            "LIVE_REGION_NOT_WORK_REGION": 0.04, "REG_CITY_NOT_LIVE_CITY": 0.08, "REG_CITY_NOT_WORK_CITY": 0.23,
            "LIVE_CITY_NOT_WORK_CITY": 0.18,
        }.items()
    }  # fmt: skip
    rating = random.choice([1, 2, 3], n, p=[0.11, 0.74, 0.15])
    score = [sigmoid(0.1 - 0.75 * risk + random.normal(0, 1, n)) for _ in range(3)]
    observed = random.poisson(random.gamma(0.35, 4.0, n)).astype(np.float64)
    fallen = random.binomial(observed.astype(np.int64), 0.08).astype(np.float64)
    no_circle, no_building = random.random(n) < 0.0033, random.random(n) < 0.47
    no_inquiry = random.random(n) < 0.135
    building = {part: random.beta(1.5, 9, n).round(4) for part in PARTS}

    def around(part: str, width: float) -> pa.Array:
        # The three statistics come from the same values: near-duplicates, as in the original.
        values = (building[part] * (1 + random.normal(0, width, n))).clip(0, 1).round(4)
        return mask(values, no_building | (random.random(n) < 0.05))

    def maybe(values: Floats, share: float) -> pa.Array:
        return mask(values, random.random(n) < share)

    return {
        "SK_ID_CURR": pa.array(applicants.ids),
        "TARGET": pa.array((random.random(n) < probability).astype(np.int64)),
        "NAME_CONTRACT_TYPE": draw_levels(random, {"Cash loans": 0.905, "Revolving loans": 0.095}, n),
        "CODE_GENDER": draw_levels(random, {"F": 0.6583, "M": 0.3416, "XNA": 0.0001}, n),
        "FLAG_OWN_CAR": draw_levels(random, {"N": 0.66, "Y": 0.34}, n),
        "FLAG_OWN_REALTY": draw_levels(random, {"Y": 0.69, "N": 0.31}, n),
        "CNT_CHILDREN": pa.array(np.maximum(members - 2, 0).astype(np.int64)),
        "AMT_INCOME_TOTAL": pa.array(income),
        "AMT_CREDIT": pa.array(amount),
        "AMT_ANNUITY": maybe(np.round(amount / random.uniform(12, 40, n) / 4.5) * 4.5, 0.00004),
        "AMT_GOODS_PRICE": maybe(np.round(amount * random.uniform(0.85, 1, n) / 4500) * 4500, 0.0009),
        "NAME_TYPE_SUITE": draw_levels(
            random, {"Unaccompanied": 0.81, "Family": 0.13, "Spouse, partner": 0.037, "Children": 0.01,
                     "Other_B": 0.006, "Other_A": 0.003, "Group of people": 0.001}, n, 0.0042,
        ),
        "NAME_INCOME_TYPE": draw_levels(
            random, {"Working": 0.52, "Commercial associate": 0.23, "Pensioner": 0.18, "State servant": 0.07}, n
        ),
        "NAME_EDUCATION_TYPE": draw_levels(
            random, {"Secondary / secondary special": 0.71, "Higher education": 0.244, "Incomplete higher": 0.033,
                     "Lower secondary": 0.012, "Academic degree": 0.001}, n,
        ),
        "NAME_FAMILY_STATUS": draw_levels(
            random, {"Married": 0.639, "Single / not married": 0.148, "Civil marriage": 0.097, "Separated": 0.064,
                     "Widow": 0.052}, n,
        ),
        "NAME_HOUSING_TYPE": draw_levels(
            random, {"House / apartment": 0.887, "With parents": 0.048, "Municipal apartment": 0.036,
                     "Rented apartment": 0.016, "Office apartment": 0.009, "Co-op apartment": 0.004}, n,
        ),
        "REGION_POPULATION_RELATIVE": pa.array(random.gamma(2.2, 0.0095, n).round(6)),
        "DAYS_BIRTH": pa.array(-random.integers(7_500, 25_200, n)),
        "DAYS_EMPLOYED": pa.array(np.where(is_pensioner, 365_243, -random.gamma(1.1, 2_000, n).astype(np.int64) - 1)),
        "DAYS_REGISTRATION": pa.array(-random.gamma(2, 2_500, n).round()),
        "DAYS_ID_PUBLISH": pa.array(-random.integers(0, 6_000, n)),
        "OWN_CAR_AGE": maybe(random.gamma(1.5, 8, n).round(), 0.66),
        **{name: pa.array(values) for name, values in flag.items()},
        "OCCUPATION_TYPE": draw_levels(random, OCCUPATIONS, n, 0.3135),
        "CNT_FAM_MEMBERS": maybe(members, 0.00001),
        "REGION_RATING_CLIENT": pa.array(rating),
        "REGION_RATING_CLIENT_W_CITY": pa.array(np.where(random.random(n) < 0.03, 2, rating)),
        "WEEKDAY_APPR_PROCESS_START": draw_levels(random, WEEKDAYS, n),
        "HOUR_APPR_PROCESS_START": pa.array(random.normal(12, 3.3, n).round().clip(0, 23).astype(np.int64)),
        **{name: pa.array(values) for name, values in differs.items()},
        "ORGANIZATION_TYPE": draw_levels(random, {**EMPLOYERS, "XNA": 55}, n),
        **{
            f"EXT_SOURCE_{i}": maybe(values, share)
            for i, values, share in zip((1, 2, 3), score, (0.564, 0.002, 0.198), strict=True)
        },
        **{f"{part}_AVG": around(part, 0.0) for part in PARTS},
        **{f"{part}_MODE": around(part, 0.1) for part in PARTS},
        **{f"{part}_MEDI": around(part, 0.01) for part in PARTS},
        "FONDKAPREMONT_MODE": draw_levels(
            random, {"reg oper account": 0.76, "reg oper spec account": 0.12, "not specified": 0.06,
                     "org spec account": 0.06}, n, 0.684,
        ),
        "HOUSETYPE_MODE": draw_levels(
            random, {"block of flats": 0.98, "specific housing": 0.01, "terraced house": 0.01}, n, 0.5018
        ),
        "TOTALAREA_MODE": maybe((building["LIVINGAREA"] * random.uniform(0.6, 1, n)).round(4), 0.4827),
        "WALLSMATERIAL_MODE": draw_levels(
            random, {"Panel": 0.44, "Stone, brick": 0.43, "Block": 0.06, "Wooden": 0.035, "Mixed": 0.015,
                     "Monolithic": 0.012, "Others": 0.01}, n, 0.5084,
        ),
        "EMERGENCYSTATE_MODE": draw_levels(random, {"No": 0.986, "Yes": 0.014}, n, 0.474),
        "OBS_30_CNT_SOCIAL_CIRCLE": mask(observed, no_circle),
        "DEF_30_CNT_SOCIAL_CIRCLE": mask(fallen, no_circle),
        "OBS_60_CNT_SOCIAL_CIRCLE": mask(np.maximum(observed - (random.random(n) < 0.01), 0), no_circle),
        "DEF_60_CNT_SOCIAL_CIRCLE": mask(random.binomial(fallen.astype(np.int64), 0.7).astype(np.float64), no_circle),
        "DAYS_LAST_PHONE_CHANGE": maybe(-random.gamma(1.2, 800, n).round(), 0.00001),
        **{
            f"FLAG_DOCUMENT_{i}": pa.array((random.random(n) < {3: 0.71, 6: 0.09, 8: 0.08}.get(i, 0.005)).astype(int))
            for i in range(2, 22)
        },
        **{
            f"AMT_REQ_CREDIT_BUREAU_{name}": mask(random.poisson(mean, n).astype(np.float64), no_inquiry)
            for name, mean in {"HOUR": 0.006, "DAY": 0.007, "WEEK": 0.03, "MON": 0.27, "QRT": 0.27, "YEAR": 1.9}.items()
        },
    }  # fmt: skip
