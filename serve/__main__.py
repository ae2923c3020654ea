"""`python -m serve`: the service on uvicorn, on HOST and PORT, with WEB_CONCURRENCY workers."""

from __future__ import annotations

import errno
import gc
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

KEEP_ALIVE_SECONDS = 95
"""Longer than the 90 s of Heroku's router, so that the service never closes a connection that the router reuses."""

SHUTDOWN_SECONDS = 20
"""Time for requests in progress after SIGTERM; Heroku sends SIGKILL after 30 s."""


def main() -> None:
    """Serve until stopped; exits with one clear line if a setting or the model can't be used."""
    # Garbage collection during the imports would take a tenth of the start; serve/app.py enables it again.
    gc.disable()
    from model.contract import ContractError
    from serve.settings import METRICS_FOLDER_VARIABLE, SettingsError, read_settings

    try:
        settings = read_settings(os.environ)
        if settings.workers > 1:
            from serve.loading import load_runtime

            # Checks the model here, so that an error is reported once rather than by each worker.
            load_runtime(settings.model_path, settings)
            gc.enable()
            with TemporaryDirectory(prefix="credit-metrics-") as folder:
                os.environ[METRICS_FOLDER_VARIABLE] = os.environ.get(METRICS_FOLDER_VARIABLE) or folder
                run(make_options(settings))
        else:
            run(make_options(settings))
    except (SettingsError, ContractError, OSError, UnicodeError) as error:
        sys.exit(f"can't serve: {error}")


def make_options(settings: Any) -> dict[str, Any]:
    """Options of uvicorn.run for our settings."""
    from serve.logs import uvicorn_log_config
    from serve.settings import UNIX_PREFIX

    address = {"host": settings.host, "port": settings.port}
    if settings.host.startswith(UNIX_PREFIX):
        address = {"uds": settings.host.removeprefix(UNIX_PREFIX)}
    return address | {
        "app": "serve.app:create_app",
        "factory": True,
        "workers": settings.workers,
        "http": "serve.parser:ParserSelector",
        "ws": "none",
        "interface": "asgi3",
        "log_config": uvicorn_log_config(settings.log_level),
        "log_level": settings.log_level,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
        "timeout_graceful_shutdown": SHUTDOWN_SECONDS,
    }


def run(options: dict[str, Any]) -> None:
    """Run uvicorn, with the same behaviour for one worker as for several.

    A single worker on an IPv6 address accepts IPv4 too; a Unix socket file left by a killed service is replaced.
    """
    import uvicorn

    if options["workers"] == 1:
        # Imported before the signal handler is set: sys.exit in the midst of an import would print a trace.
        import serve.app  # noqa: F401

    # After its shutdown uvicorn raises the signal again; the exit code of a requested stop is 0.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if "uds" in options:
        _remove_stale_socket(options["uds"])
    if ":" in options.get("host", "") and options["workers"] == 1:
        config = uvicorn.Config(**options)
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[config.bind_socket()])
    else:
        uvicorn.run(**options)


def _remove_stale_socket(path: str) -> None:
    """Remove a Unix socket file without a listener; raises OSError if a process listens on it."""
    if not Path(path).is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe, suppress(ConnectionRefusedError):
        probe.connect(path)
        raise OSError(errno.EADDRINUSE, "a service listens there already", path)
    os.unlink(path)


if __name__ == "__main__":
    if sys.argv[1:]:
        # An option that is ignored would start a service with other settings than asked for.
        print("usage: python -m serve\n\nSettings are environment variables, such as PORT=9000: docs/operations.md")
        sys.exit(0 if sys.argv[1:] == ["--help"] else 2)
    main()
