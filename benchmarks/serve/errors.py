"""What can go wrong in a measurement."""

from __future__ import annotations


class BenchError(Exception):
    """A measurement can't be made, or would mean nothing; the message says why and what to do."""
