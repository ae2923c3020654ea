"""How many threads a fit may use: more only where they pay."""

from __future__ import annotations

from threadpoolctl import threadpool_limits

CELLS_FOR_THREADS = 5_000_000
"""Below it, threads gain nothing; on a busy machine they wait for each other and cost tenfold."""


def limit_threads(cells: int) -> threadpool_limits:
    """Context manager: one thread for a table of few cells (rows times fields), all there are for a large one."""
    return threadpool_limits(limits=1 if cells < CELLS_FOR_THREADS else None)
