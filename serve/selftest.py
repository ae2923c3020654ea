"""`python -m serve.selftest [MODEL]`: the self-test of a model file, before it is deployed.

The release step of the platform runs it: exit code 1 stops the deployment.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from model.contract import ContractError
from serve.loading import load_runtime
from serve.settings import SettingsError, read_settings


def main(arguments: list[str] | None = None) -> int:
    """Load the model as the service does and print which model it is; returns 0 if it can be served, else 1."""
    parser = argparse.ArgumentParser(
        prog="python -m serve.selftest",
        description="Check that a model file can be served: it answers its golden rows as exported.",
    )
    parser.add_argument("model", nargs="?", type=Path, help="model file (default: MODEL_PATH or artifacts/model.onnx)")
    given = parser.parse_args(arguments).model
    try:
        settings = read_settings(os.environ)
        runtime = load_runtime(given or settings.model_path, settings)
    except (ContractError, SettingsError) as error:
        print(f"self-test failed: {error}", file=sys.stderr)
        return 1
    contract = runtime.model.contract
    print(
        f"self-test passed: {contract.name} {contract.version}, sha256 {runtime.identity.sha256}, "
        f"{len(contract.golden.applicants)} golden rows answered as exported"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
