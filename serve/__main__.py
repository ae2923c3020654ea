"""`python -m serve`: the service, on HOST and PORT, with WEB_CONCURRENCY workers."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Serve until stopped; exits with one clear line if a setting or the model can't be used."""
    # Nothing of what is loaded now is garbage: to look for some would take a tenth of the start of a single worker.
    # serve/app.py enables it when the service is there.
    gc.disable()
    from serve.contract import ContractError
    from serve.server import hold_reloads, serve
    from serve.settings import SettingsError, read_settings

    try:
        settings = read_settings(os.environ)
        hold_reloads()
        if settings.workers == 1:
            serve(settings)
            return
        from tempfile import TemporaryDirectory

        from serve.counters import DIRECTORY
        from serve.model import load_model
        from serve.workers import supervise

        # Said once here rather than by each worker, again and again.
        load_model(settings.model_path)
        # This process only watches over the workers, which begin anew.
        gc.enable()
        with TemporaryDirectory(prefix="credit-") as counters:
            os.environ[DIRECTORY] = counters
            supervise(settings)
    except (SettingsError, ContractError) as error:
        sys.exit(f"can't serve: {error}")


if __name__ == "__main__":
    main()
