"""The metrics of the challenger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge

if TYPE_CHECKING:
    from serve.challenger import ShadowStatus


class ChallengerCollectors:
    """Whether every worker has a challenger, and how many applicants it has scored."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._loaded = Gauge(
            "credit_challenger_loaded",
            "1 if every worker has a challenger.",
            multiprocess_mode="livemin",
            registry=registry,
        )
        self._scored = Counter(
            "credit_challenger_scored", "Applicants whose answer by the challenger is on record.", registry=registry
        )
        self._skipped = Counter(
            "credit_challenger_skipped", "Applicants that it doesn't take, or was too slow for.", registry=registry
        )
        self._failed = Counter(
            "credit_challenger_failed", "Applicants whose answer it failed to give, or to record.", registry=registry
        )
        self._counted = 0, 0, 0

    def update(self, status: ShadowStatus) -> None:
        """Set the gauge, and count what is new since the last call."""
        scored, skipped, failed = self._counted
        self._loaded.set(status.is_loaded)
        self._scored.inc(status.scored - scored)
        self._skipped.inc(status.skipped - skipped)
        self._failed.inc(status.failed - failed)
        self._counted = status.scored, status.skipped, status.failed
