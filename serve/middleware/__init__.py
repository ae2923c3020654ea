"""ASGI middleware: authentication, load shedding, metrics, access log and error responses for every request."""
