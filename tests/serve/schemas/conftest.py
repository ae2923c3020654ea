"""Fixtures of the tests of schemas."""

from __future__ import annotations

import pytest

from tests.serve.schemas.readers import READERS, Reader


@pytest.fixture(params=READERS.values(), ids=list(READERS))
def reader(request: pytest.FixtureRequest) -> Reader:
    """Each body reader in turn."""
    chosen: Reader = request.param
    return chosen
