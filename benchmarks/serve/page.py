"""docs/performance.md: the parts between markers are written by the benchmarks, all else by people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.serve.bars import list_bars
from benchmarks.serve.errors import BenchError
from benchmarks.serve.models import ASKED
from benchmarks.serve.peers import PEERS
from benchmarks.serve.results import Results
from benchmarks.serve.workloads import WORKLOADS

LEAST_SHARE = 0.85
"""Share of a core that a service uses under full load; less, and somebody else had the rest."""

Column = tuple[str, Callable[[Results, str], str]]


def replace_between(text: str, name: str, content: str) -> str:
    """The text with what stands between `<!-- name -->` and `<!-- /name -->` replaced; BenchError if one lacks."""
    before, opening, rest = text.partition(f"<!-- {name} -->\n")
    _, closing, after = rest.partition(f"<!-- /{name} -->\n")
    if not opening or not closing:
        raise BenchError(
            f"the page has no lines <!-- {name} --> and <!-- /{name} --> one after the other; put them back"
        )
    return before + opening + content.strip("\n") + "\n" + closing + after


def write_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table: the first column text, the others figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def show(figure: float | None, form: str = "{:,.0f}") -> str:
    """A figure, or a dash where there is none."""
    return "–" if figure is None else form.format(figure)


COLUMNS: tuple[Column, ...] = (
    ("23 fields, req/s", lambda r, peer: show(r.per_second(peer, "logistic"))),
    ("of the limit", lambda r, peer: show(r.ratio(peer, "logistic", "limit"), "{:.0%}")),
    ("p50 ms", lambda r, peer: show(r.p50_ms(peer, "logistic"), "{:.2f}")),
    ("p50 ms, one connection", lambda r, peer: show(r.p50_ms(peer, "alone"), "{:.3f}")),
    ("400 trees, req/s", lambda r, peer: show(r.per_second(peer, "boosting"))),
    ("768 fields, req/s", lambda r, peer: show(r.per_second(peer, "wide"))),
    ("1,000 rows a body, rows/s", lambda r, peer: show(_rows(r, peer, "json"))),
    ("exec → first right answer, s", lambda r, peer: show(r.first_answer(peer), "{:.2f}")),
    ("memory, MB", lambda r, peer: show(r.megabytes(peer))),
)


def _rows(results: Results, peer: str, workload: str) -> float | None:
    bodies = results.per_second(peer, workload)
    return None if bodies is None else bodies * ASKED


def write_comparison(results: Results) -> str:
    """The table of all peers, the bars, and what was measured on what."""
    peers = [name for name in PEERS if name in results.versions]
    table = write_table(
        ["", *[title for title, _ in COLUMNS]],
        [[_title(name), *[figure(results, name) for _, figure in COLUMNS]] for name in peers],
    )
    score = [show(results.per_second(name, "score")) for name in ("ours", "limit")]
    binary = [show(_rows(results, name, "binary")) for name in ("ours", "limit")]
    versions = "\n".join(
        f"- {PEERS[name].title}: {', '.join(f'{library} {version}' for library, version in versions.items())}"
        for name, versions in results.versions.items()
    )
    rounds = 1 + max(sample.round for sample in results.samples)
    return (
        f"Measured on {results.date} at commit {results.commit}, {rounds} rounds, medians; {results.machine}."
        f"{note_disturbance(results)}\n\n"
        f"![Requests a second of every peer](performance.svg)\n\n{table}\n"
        f"/score with four reasons on 400 trees: {score[0]} req/s (the limit with an answer of the same length: "
        f"{score[1]}). Bodies of 1,000 rows × 23 as V2 binary: {binary[0]} rows/s (the limit, which doesn't look at "
        f"them: {binary[1]}). One row while bodies of 10,000 are posted in the background: p50 "
        f"{show(results.p50_ms('ours', 'crowd'), '{:.1f}')} ms, p99 "
        f"{show(results.p99_ms('ours', 'crowd'), '{:.1f}')} ms. Memory after 10,000 requests "
        f"{show(results.megabytes('ours'), '{:.1f}')} MB, after 1,000,000 "
        f"{show(results.megabytes('ours', 1_000_000), '{:.1f}')} MB.\n\n"
        f"{write_table(['bar', 'wanted', 'measured', ''], list_bars(results))}\n"
        f"{versions}\n"
    )


def note_disturbance(results: Results) -> str:
    """A sentence if services did not get the core they were to have; else nothing.

    With many connections a service always has something to do: what it does not use of its core, others used.
    """
    loaded = [
        sample
        for sample in results.samples
        if WORKLOADS[sample.workload].connections > 1 and not WORKLOADS[sample.workload].crowd
    ]
    starved = [sample for sample in loaded if sample.load.per_second * sample.cpu_us < LEAST_SHARE * 1e6]
    if not starved:
        return ""
    return (
        f" In {len(starved)} of {len(loaded)} loads the service had less than {LEAST_SHARE:.0%} of its core: "
        "others used the machine, and figures a second are lower than they could be."
    )


def _title(name: str) -> str:
    title = PEERS[name].title
    return f"**{title}**" if name == "ours" else title


def write_page(path: Path, name: str, content: str) -> None:
    """Replace a part of the page, whole or not at all."""
    text = replace_between(path.read_text(), name, content)
    draft = path.with_suffix(".new")
    draft.write_text(text)
    draft.replace(path)
