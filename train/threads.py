"""The number of threads of a fit."""

from __future__ import annotations

from threadpoolctl import threadpool_limits

MIN_CELLS_FOR_THREADS = 5_000_000
"""Smaller tables gain nothing from threads, which on a busy machine make a fit ten times slower."""


def limit_threads(cells: int) -> threadpool_limits:
    """Context manager: one thread for a table of few cells (rows × fields), all cores for a larger one."""
    return threadpool_limits(limits=1 if cells < MIN_CELLS_FOR_THREADS else None)
