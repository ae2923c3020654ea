"""Columns that identify a row, a person or a contract, found by name and content; an inferred card doesn't use them.

A name is read as its words (`split_words`). A word such as id or uuid tells it, a word for a number only beside a word
of what is numbered: a loan number is one, a number of loans isn't. The content must have many distinct whole numbers or
texts, so that a code of a few regions or ranges stays an input.
"""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
from pandas.api.types import is_float_dtype

from model.vocabulary import Decimal, is_missing, parse_number
from train.protected import split_words
from train.table import format_floats

MIN_DISTINCT = 50
"""Fewer distinct values can be levels of a category."""

MAX_ROWS = 20
"""Rows of one text, on average, up to which it is one of a person or contract; branches and dealers have more."""

NEARLY_ALL = 0.9
"""Distinct values, as a share of the rows, from which on an unknown thing is numbered."""

ID = re.compile(r"ids?|guid|uuid|identif\w*|iban|ssn|cpf|cnpj|pesel|bsn|siren|siret|hash|pk")
KEY = r"ids?|key|nr|no|num|nums?|number|nummer|numer|numero|ref|reference"
THING = (
    r"loan|credit|kredit|darlehens?|pret|prestamo|contract|contrat|contrato|contratto|vertrags?|umowy|agreement|policy"
    r"|customer|client|cliente?|kunden?|klanten?|klienta|borrower|debtor|applicant|antragsteller|person|personen|people"
    r"|member|user|account|acct|acc|konto|compte|cuenta|conta|application|appl?|antrags?|demande|dossier|listing|deal"
    r"|case|file|record|row|line|sequence|seq|serial|registration|tax|steuer|passport|social|security|national|invoice"
    r"|transaction|order|document|company|firm|business|household|personal|cust|mitglieds?|reference"
)
"""What is numbered, in the singular: of several there is a number, as of loans."""

JOINED = re.compile(rf"(?:{THING})(?:{KEY}|identifier)")
LAST = re.compile(rf"(?:{KEY})|\w+nummer")
OF = re.compile(r"of|de|du|del|di|do|da|von|der|des")
SUFFIXES = re.compile(r"chk|check|dgt|digit|curr|prev|current|orig|original|new|old|hash|masked|anon")

NO_ID = re.compile(
    r"days?|months?|years?|weeks?|date|time|age|since|publish\w*|issued?|expir\w*|verif\w*|type|flag|count|cnt|counts"
    r"|score|len|length|has|is|amount|amt|rate|ratio|share|avg|mean|sum|total|max|min"
)
"""Words of what is measured of an id: the days since it was issued."""


def explain_identifier(name: str, cells: pd.Series[Any], decimal: Decimal) -> str:
    """Why a column is an id, with the roles it can have; '' if it isn't."""
    words = split_words(name)
    if any(NO_ID.fullmatch(word) for word in words):
        return ""
    is_id = any(ID.fullmatch(word) or JOINED.fullmatch(word) for word in words)
    if not is_id and not _may_number(words):
        return ""
    given = format_floats(cells.dropna()) if is_float_dtype(cells) else cells
    distinct = [str(word) for word in given.unique() if not is_missing(str(word))]
    rows = len(cells) - int(cells.isna().sum()) if is_float_dtype(cells) else int((cells != "").sum())
    numbers = [number for word in distinct if (number := parse_number(word, decimal)) is not None]
    are_numbers = len(numbers) == len(distinct)
    share = 1 / MAX_ROWS if is_id or _is_number_of_thing(words) else NEARLY_ALL
    if is_id and are_numbers:
        share = 0.0  # As a quantity such a number means nothing, whatever it identifies.
    has_many = len(distinct) > min(max(MIN_DISTINCT, share * rows), rows - 1)
    is_quantity = any(number < 0 or not number.is_integer() for number in numbers)
    if not has_many or is_quantity or any(" " in word for word in distinct):
        return ""
    return (
        f"an id by its name, with {len(distinct):,} distinct values in {rows:,} rows: --id if it identifies a row, "
        "--group if several rows have it (in a card id, group)"
    )


def _may_number(words: list[str]) -> bool:
    kept = [word for word in words if not SUFFIXES.fullmatch(word)]
    return len(kept) > 0 and (bool(LAST.fullmatch(kept[-1])) or _is_number_of_thing(words))


def _is_number_of_thing(words: list[str]) -> bool:
    """Whether the words are a thing and a number, or a number of one thing: loan nr, numero de contrato."""
    kept = [word for word in words if not SUFFIXES.fullmatch(word) and not OF.fullmatch(word)]
    if len(kept) < 2:
        return False
    (*things, last), (first, *rest) = kept, kept
    is_last = bool(LAST.fullmatch(last)) and any(re.fullmatch(THING, word) for word in things)
    return is_last or (bool(re.fullmatch(KEY, first)) and len(rest) == 1 and bool(re.fullmatch(THING, rest[0])))
