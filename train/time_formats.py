"""How times are written: forms such as %d/%m/%Y, and the day that a text of such a form names.

The directives are those of strptime that name a day, month or year, and %q for a quarter; month names are English.
Changing what a form reads changes which rows are held out of a model that is already trained.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from train.errors import TrainingError

EPOCH = date(1970, 1, 1)

LAST_SHORT_YEAR = 39
"""Years of two digits are 2000 to 2039 up to this one, else 1940 to 1999, whatever the year of training."""

MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)

UNITS = {"%d": "day", "%m": "month", "%b": "month", "%q": "quarter"}
"""The finest directive of a form → the unit of its times; a form with none of them is one of years."""

_PATTERNS = {
    "%Y": r"(?P<Y>(?:19|20)\d{2})",
    "%y": r"(?P<y>\d{2})",
    "%m": r"(?P<m>\d{1,2})",
    "%b": r"(?P<b>[a-z]{3,9})\.?",
    "%d": r"(?P<d>\d{1,2})",
    "%q": r"(?P<q>[1-4])",
}

_TIME_OF_DAY = r"(?:[T :]\s?\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[ap]m)?(?: ?(?:Z|UTC|[+-]\d{2}:?\d{2}))?)?"

_ORDERS = ("%Y %m %d", "%d %m %Y", "%m %d %Y", "%d %m %y", "%m %d %y", "%y %m %d")

FORMATS = (
    *(order.replace(" ", mark) for mark in "-/." for order in _ORDERS),
    *("%Y%m%d", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %b %y", "%d%b%Y", "%d%b%y", "%b %d, %Y", "%b %d %Y"),
    *("%Y-%m", "%Y/%m", "%Y%m", "%YM%m", "%m-%Y", "%m/%Y", "%m.%Y", "%m%Y"),
    *("%b-%Y", "%b %Y", "%b%Y", "%Y-%b", "%Y %b", "%b-%y", "%b %y", "%b%y"),
    *("%YQ%q", "%Y-Q%q", "%Y Q%q", "%Y/Q%q", "Q%q %Y", "Q%q-%Y", "Q%q/%Y"),
    "%Y",
)
"""Forms that are found by themselves; of several that fit a column all must give the same days.

A day written in numbers has every order that is in use, so that a column is never read in the wrong one: if another
order fits too, training stops. Where every table would stop, one convention is taken: six digits are a year of four and
a month, and beside the name of a month a year of two digits comes last.
"""

SINCE_FORMATS = ("%Y-%m-%d", "%Y-%m", "%YQ%q", "%Y")


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """A form of times; `unit`: day, month, quarter or year."""

    text: str
    unit: str
    pattern: re.Pattern[str]

    def parse(self, text: str) -> int | None:
        """The first day that a text names, as days since 1970; None if it isn't of this form or there is no such day.

        A time of day is left out, in the time zone that it is written in.
        """
        match = self.pattern.fullmatch(text)
        if match is None:
            return None
        found = match.groupdict()
        month = 3 * int(found["q"]) - 2 if found.get("q") else int(found.get("m") or 1)
        if name := found.get("b"):
            month = next((number for number, word in enumerate(MONTHS, 1) if word.startswith(name.lower())), 0)
        short = int(found.get("y") or 0)
        year = int(found.get("Y") or short + (2000 if short <= LAST_SHORT_YEAR else 1900))
        try:
            return (date(year, month, int(found.get("d") or 1)) - EPOCH).days
        except ValueError:
            return None

    def write(self, day: int) -> str:
        """The text of a day since 1970, which `parse` reads."""
        when = EPOCH + timedelta(day)
        words = {
            "%Y": f"{when.year}",
            "%y": f"{when.year % 100:02}",
            "%m": f"{when.month:02}",
            "%b": MONTHS[when.month - 1][:3].title(),
            "%d": f"{when.day:02}",
            "%q": f"{(when.month + 2) // 3}",
        }
        return re.sub("%.", lambda match: words[match.group()], self.text)


@lru_cache
def make_format(text: str) -> TimeFormat:
    """A form from its text, such as %d/%m/%Y; raises TrainingError if it doesn't name one year, month or day."""
    parts = re.split("(%.?)", text)
    directives = parts[1::2]
    is_known = all(one in _PATTERNS for one in directives) and len(set(directives)) == len(directives)
    has_year = ("%Y" in directives) != ("%y" in directives)
    inner = [one for one in directives if one in ("%m", "%b", "%q")]
    if not is_known or not has_year or len(inner) > 1 or ("%d" in directives and inner in ([], ["%q"])):
        raise TrainingError(
            f"the time format is {text!r}, expected %Y or %y (the year), with %m or %b (the month, in digits or as "
            "Apr) and %d (the day), or with %q (the quarter), each once, such as %d/%m/%Y; a time of day may follow "
            "each of them in the table without being in the format"
        )
    is_digits = not any(parts[::2]) and "%b" not in directives
    pattern = "".join(_PATTERNS.get(part, re.escape(part)) for part in parts)
    unit = next((name for directive, name in UNITS.items() if directive in directives), "year")
    tail = _TIME_OF_DAY if unit == "day" else ""
    if is_digits:
        # Without anything between them, months and days have both digits; a column of floats ends in ".0".
        pattern, tail = pattern.replace("{1,2}", "{2}"), rf"(?:\.0+)?{tail}"
    return TimeFormat(text, unit, re.compile(pattern + tail, re.IGNORECASE | re.ASCII))


def parse_since(text: str) -> int:
    """The first day that a text such as 2006, 2006-04 or 2006-04-01 names, as days since 1970; raises TrainingError."""
    for one in SINCE_FORMATS:
        if (day := make_format(one).parse(text)) is not None:
            return day
    raise TrainingError(
        f"since is {text!r}, expected the first day of the hold-out, or its month or year: 2006-04-01, 2006-04 or 2006"
    )


def format_day(day: int) -> str:
    """A day since 1970, ISO 8601."""
    return (EPOCH + timedelta(day)).isoformat()
