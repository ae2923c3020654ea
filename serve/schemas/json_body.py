"""Decoding of a JSON body with msgspec, whose errors become faults with JSON pointers."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Callable
from typing import TypeVar

import msgspec

from model.messages import truncate
from serve.schemas.problems import InvalidApplicants
from serve.schemas.responses import Fault

Body = bytes | bytearray
Decoded = TypeVar("Decoded")


def decode_body(decode: Callable[[Body], Decoded], body: Body) -> Decoded:
    """Call a decoder of msgspec; raises InvalidApplicants where the decoder fails."""
    try:
        return decode(body)
    except RecursionError as error:
        raise InvalidApplicants([Fault("", "the body is nested too deeply")]) from error
    except UnicodeDecodeError as error:
        raise InvalidApplicants([Fault("", "the body is not UTF-8")]) from error
    except msgspec.MsgspecError as error:
        raise InvalidApplicants([parse_error(str(error))]) from error


def parse_error(message: str) -> Fault:
    """A message of msgspec, such as "Expected `int` - at `$.data[0]`", as a fault with a JSON pointer."""
    if message.startswith("Object contains unknown field"):
        # The member's name, which the client chose, may look like a path; these objects stand at the root of the body.
        return Fault("", truncate(message))
    detail, _, path = message.rpartition(" - at `$")
    detail = truncate(detail or path, 200)
    # Of a member of an object without a type msgspec doesn't tell the name: the pointer ends before it.
    path = path.partition("[...]")[0] if " - at `$" in message else ""
    return Fault("".join(f"/{part}" for part in re.findall(r"[^.\[\]`]+", path)), detail)


def has_bom(body: Body) -> bool:
    """Whether a body begins with one byte order mark of UTF-8; two of them are not valid JSON."""
    return body.startswith(BOM_UTF8) and not body.startswith(BOM_UTF8, len(BOM_UTF8))
