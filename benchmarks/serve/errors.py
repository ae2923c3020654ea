"""The exception that the benchmarks raise."""

from __future__ import annotations


class BenchError(Exception):
    """A measurement is impossible or would be invalid; the message says why and what to do."""
