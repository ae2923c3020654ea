"""Write docs/performance.md: the benchmarks replace the parts between HTML comments, the rest is edited by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.serve.errors import BenchError
from benchmarks.serve.peers import PEERS
from benchmarks.serve.results import Results
from benchmarks.serve.targets import list_targets
from benchmarks.serve.workloads import WORKLOADS

MIN_CORE_SHARE = 0.85
"""A service under load that gets less than this share of its core was slowed down by other processes."""

Column = tuple[str, Callable[[Results, str], str]]


def replace_between(text: str, name: str, content: str) -> str:
    """Replace the text between `<!-- name -->` and `<!-- /name -->`; raises BenchError if one is missing."""
    before, opening, rest = text.partition(f"<!-- {name} -->\n")
    _, closing, after = rest.partition(f"<!-- /{name} -->\n")
    if not opening or not closing:
        raise BenchError(
            f"the page has no lines <!-- {name} --> and <!-- /{name} --> one after the other; put them back"
        )
    return before + opening + content.strip("\n") + "\n" + closing + after


def write_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are aligned to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def format_figure(figure: float | None, pattern: str = "{:,.0f}") -> str:
    """Format a figure; a dash for None."""
    return "–" if figure is None else pattern.format(figure)


COLUMNS: tuple[Column, ...] = (
    ("23 fields, req/s", lambda r, peer: format_figure(r.per_second(peer, "logistic"))),
    ("of bare uvicorn", lambda r, peer: format_figure(r.ratio(peer, "logistic", "bare_uvicorn"), "{:.0%}")),
    ("p50 ms", lambda r, peer: format_figure(r.p50_ms(peer, "logistic"), "{:.2f}")),
    ("p50 ms, one connection", lambda r, peer: format_figure(r.p50_ms(peer, "one_connection"), "{:.3f}")),
    ("400 trees, req/s", lambda r, peer: format_figure(r.per_second(peer, "boosting"))),
    ("768 fields, req/s", lambda r, peer: format_figure(r.per_second(peer, "wide"))),
    ("1,000 rows per body, rows/s", lambda r, peer: format_figure(r.rows_per_second(peer, "json"))),
    ("first answer after, s", lambda r, peer: format_figure(r.first_answer(peer), "{:.2f}")),
    ("memory, MB", lambda r, peer: format_figure(r.megabytes(peer))),
)


def write_comparison(results: Results) -> str:
    """The table of all peers, the targets, the versions and the machine."""
    peers = [name for name in PEERS if name in results.versions]
    table = write_table(
        ["", *[title for title, _ in COLUMNS]],
        [[_title(name), *[figure(results, name) for _, figure in COLUMNS]] for name in peers],
    )
    score = [format_figure(results.per_second(name, "score")) for name in ("ours", "bare_uvicorn")]
    binary = [format_figure(results.rows_per_second(name, "binary")) for name in ("ours", "bare_uvicorn")]
    versions = "\n".join(
        f"- {PEERS[name].title}: {', '.join(f'{library} {version}' for library, version in versions.items())}"
        for name, versions in results.versions.items()
    )
    rounds = 1 + max(sample.round for sample in results.samples)
    return (
        f"Measured on {results.date} at commit {results.commit}, {rounds} rounds, medians; {results.machine}."
        f"{describe_interference(results)}\n\n"
        f"![Requests per second of every peer](performance.svg)\n\n{table}\n"
        f"/score with four reasons on 400 trees: {score[0]} req/s (bare uvicorn with a response of the same length: "
        f"{score[1]}). Bodies of 1,000 rows × 23 as V2 binary: {binary[0]} rows/s (bare uvicorn, which doesn't read "
        f"them: {binary[1]}). One row while bodies of 10,000 rows are posted in the background: p50 "
        f"{format_figure(results.p50_ms('ours', 'background'), '{:.1f}')} ms, p99 "
        f"{format_figure(results.p99_ms('ours', 'background'), '{:.1f}')} ms. Memory after 10,000 requests "
        f"{format_figure(results.megabytes('ours'), '{:.1f}')} MB, after 1,000,000 "
        f"{format_figure(results.megabytes('ours', 1_000_000), '{:.1f}')} MB.\n\n"
        f"{write_table(['target', 'required', 'measured', ''], list_targets(results))}\n"
        f"{versions}\n"
    )


def describe_interference(results: Results) -> str:
    """A sentence if other processes used a service's core, else an empty string.

    Over many connections a service always has a request to answer, and so should use its whole core.
    """
    loaded = [
        sample
        for sample in results.samples
        if WORKLOADS[sample.workload].connections > 1 and not WORKLOADS[sample.workload].background
    ]
    slowed = [sample for sample in loaded if sample.load.per_second * sample.cpu_us < MIN_CORE_SHARE * 1e6]
    if not slowed:
        return ""
    return (
        f" In {len(slowed)} of {len(loaded)} loads the service had less than {MIN_CORE_SHARE:.0%} of its core: "
        "other processes used it, so that the rates are too low."
    )


def _title(name: str) -> str:
    title = PEERS[name].title
    return f"**{title}**" if name == "ours" else title


def write_page(path: Path, name: str, content: str) -> None:
    """Replace a part of the page atomically."""
    text = replace_between(path.read_text(), name, content)
    draft = path.with_suffix(".new")
    draft.write_text(text)
    draft.replace(path)
