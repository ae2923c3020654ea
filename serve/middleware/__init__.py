"""What holds for every request, in ASGI middleware: request id, metrics, log, keys, limits, failures."""
