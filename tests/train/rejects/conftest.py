"""One thread, as `python -m train` takes for so small a table."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from train.threads import limit_threads


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    with limit_threads(0):
        yield
