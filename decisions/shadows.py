"""Shadows: records of what a challenger would have decided, each beside the decision that the champion made."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from decisions.record import DecisionPayload, Entry, search_key

_encode = msgspec.json.Encoder().encode


class Shadows(Struct, frozen=True):
    """What a challenger would have decided; one item of each list for each applicant.

    `model`: SHA-256 of its file. `subjects`, `times`, `applicants`: ids and times of the champion's decisions, and the
    applicants' ids as given. `inputs`: as the challenger's graph took them, NaN = missing.
    """

    ids: Sequence[str]
    model: str
    subjects: Sequence[str]
    times: Sequence[int]
    applicants: Sequence[str | int | None]
    inputs: Sequence[Sequence[float]]
    probability: Sequence[float]
    decision: Sequence[str]
    points: Sequence[int]


def make_shadows(shadows: Shadows) -> list[Entry]:
    """Their entries; request and key are those of the decision."""
    given = shadows.subjects, shadows.times, shadows.applicants, shadows.inputs
    results = shadows.probability, shadows.decision, shadows.points
    return [
        Entry(
            id=id,
            kind="shadow",
            time=time,
            payload=_encode(DecisionPayload(applicant, inputs)).decode(),
            model=shadows.model,
            subject=subject,
            applicant=search_key(applicant),
            probability=probability,
            decision=decision,
            points=points,
            reasons=0,
        )
        for id, subject, time, applicant, inputs, probability, decision, points in zip(
            shadows.ids, *given, *results, strict=True
        )
    ]
