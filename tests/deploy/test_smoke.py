"""`make smoke`: the tests of tests/deployed run against a URL, without the training libraries."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.errors import DeployError
from deploy.smoke import main, smoke
from tests.deploy.conftest import ServeJson


@pytest.mark.parametrize("arguments", [[], ["example.org"], ["ftp://example.org"], ["http://a", "http://b"]])
def test_without_a_url_the_usage_is_shown(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With exit code 2."""
    assert main(arguments) == 2
    assert "make smoke URL=https://" in capsys.readouterr().err


def test_a_service_with_another_model_fails(
    serve_json: ServeJson, root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The failed tests are named; the readiness test passes."""
    with (
        serve_json({"readyz": '{"status": "ready"}', "model": "{}"}) as url,
        pytest.raises(DeployError, match=f"the smoke tests of {url} failed"),
    ):
        smoke(url, root)

    printed = capfd.readouterr().out
    assert "FAILED tests/deployed/test_deployed.py::test_the_model_is_the_one_that_was_pushed" in printed
    assert "test_a_proven_model_is_ready" not in printed
