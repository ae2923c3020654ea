"""The id of each decision: UUID version 8 (RFC 9562, 5.8), the same whenever and wherever the same row is scored.

    40 bits   when the file was last written, milliseconds since 1970 / 256: in the order of the service's ids
    46 bits   SHA-256 over the model, the way the rows are read, and the file: name, size, start and end
    36 bits   the row's line, or its number from 1 in a Parquet file

Recorded decisions have these ids, so that the rule must never change.
"""

from __future__ import annotations

from hashlib import sha256

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from model.dialect import DialectOptions
from score.fingerprints import Fingerprint
from score.scorer import Scorer

ID_CHARACTERS = 36

LAST_GROUP = 24
"""Where the last group of twelve digits begins, the only one in which the ids of a file differ."""

_DIGITS = np.frombuffer("".join(f"{number:04x}" for number in range(1 << 16)).encode(), np.uint32)
"""The four hexadecimal digits of each number, as the four bytes of one."""


def make_base_id(scorer: Scorer, options: DialectOptions, file: Fingerprint) -> str:
    """The id that line 0 of a file would have; that of each row is this number plus its line."""
    read_as = scorer.id, options.separator, options.decimal, options.encoding
    identity = scorer.model.sha256, *read_as, file.path, file.bytes, file.sha256_of_ends
    digits = sha256(msgspec.json.encode(identity)).hexdigest()
    time = f"{max(file.modified_ns, 0) // 256_000_000 & (1 << 40) - 1:010x}"
    variant = 8 + int(digits[0], 16) % 4
    return f"{time[:8]}-{time[8:]}{digits[1:3]}-8{digits[3:6]}-{variant:x}{digits[6:9]}-{digits[9:12]}{0:09x}"


def id_array(base_id: str, lines: npt.NDArray[np.int64]) -> pa.Array:
    """The ids of the rows in these lines."""
    n_rows, numbers = len(lines), lines + int(base_id[LAST_GROUP:], 16)
    text = np.empty((n_rows, ID_CHARACTERS // 4), np.uint32)
    text[:, : LAST_GROUP // 4] = np.frombuffer(base_id[:LAST_GROUP].encode(), np.uint32)
    for column, shift in enumerate((32, 16, 0), LAST_GROUP // 4):
        text[:, column] = _DIGITS[numbers >> shift & 0xFFFF]
    ends = np.arange(0, n_rows * ID_CHARACTERS + 1, ID_CHARACTERS, dtype=np.int32)
    return pa.StringArray.from_buffers(n_rows, pa.py_buffer(ends), pa.py_buffer(text))
