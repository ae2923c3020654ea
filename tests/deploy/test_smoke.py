"""`make smoke`: the tests of tests/deployed against any URL, in an environment without training."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.errors import DeployError
from deploy.smoke import main, smoke
from tests.deploy.conftest import ServeFolder


@pytest.mark.parametrize("arguments", [[], ["example.org"], ["ftp://example.org"], ["http://a", "http://b"]])
def test_without_a_url_it_says_what_to_type(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2."""
    assert 2 == main(arguments)
    assert "make smoke URL=https://" in capsys.readouterr().err


def test_another_service_at_the_url_fails(
    serve_folder: ServeFolder, root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """One that says it is ready and knows nothing of our model; every test that found it out is named."""
    with (
        serve_folder({"readyz": '{"status": "ready"}', "model": "{}"}) as url,
        pytest.raises(DeployError, match=f"the smoke tests of {url} failed"),
    ):
        smoke(url, root)

    printed = capfd.readouterr().out
    assert "FAILED tests/deployed/test_deployed.py::test_the_model_is_the_one_that_was_pushed" in printed
    assert "test_a_proven_model_is_ready" not in printed
