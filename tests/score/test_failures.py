"""Every failure of `python -m score` is one sentence and an exit code; nothing that was finished is lost."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import score.local
from score.__main__ import main
from score.batches import score_batches

Draw = Callable[..., pa.Table]

MAX_FILE_BYTES = 20_000
"""Size of the files that the operating system lets a run write, less than that of its first part."""


@pytest.fixture
def folder(draw: Draw, tmp_path: Path) -> Path:
    """A portfolio of two files."""
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        pq.write_table(draw(50), tmp_path / "in" / f"{name}.parquet")
    return tmp_path / "in"


def refuse(capsys: pytest.CaptureFixture[str], code: int, *arguments: object) -> str:
    """Run the command, assert its exit code and that it prints one line, and return that."""
    assert main([str(argument) for argument in arguments]) == code
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(
    ("source", "out", "message"),
    [
        ("in", "in", "IN and OUT are both "),
        ("in", "in/out", "is inside IN, "),
        ("in", "in/../in/deep/out", "is inside IN, "),
        ("in", ".", "is inside OUT, "),
        ("in", "/", "is inside OUT, "),
        ("in/a.parquet", "in/a.parquet", "in/a.parquet exists and is not a folder"),
        ("in/a.parquet", "in/a.parquet/out", "is inside IN, "),
        ("in", "file/out", "Not a directory"),
        ("in", "file", "file exists and is not a folder; choose another OUT"),
        ("in", "link", "link is a link to nowhere, which doesn't exist; choose another OUT"),
        ("in", "empty", "empty exists and has no finished scores; choose another OUT"),
        ("in", "o" * 300, "File name too long"),
        ("i" * 300, "out", "File name too long"),
        ("absent", "out", "absent doesn't exist; check the path"),
        ("absent.csv", "out", "absent.csv doesn't exist; check the path"),
        ("pipe", "out", "can't read pipe: it is not a file, or is a link to none"),
        ("empty", "out", "empty holds no table; expected files that end in .parquet, .pq, .csv"),
        ("links", "out", "the link links/back leads back to a folder that it is in; remove it"),
        ("broken", "out", "can't read broken/x.csv: it is not a file, or is a link to none"),
    ],
)
def test_paths_that_can_not_be_used_are_refused(
    folder: Path,
    model_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    out: str,
    message: str,
) -> None:
    """Before anything is written."""
    monkeypatch.chdir(folder.parent)
    Path("file").touch()
    Path("link").symlink_to("nowhere")
    Path("empty").mkdir()
    os.mkfifo("pipe")
    Path("links").mkdir()
    Path("links/back").symlink_to("../links")
    Path("broken").mkdir()
    Path("broken/x.csv").symlink_to("nowhere")
    before = sorted(folder.parent.rglob("*"))

    assert message in refuse(capsys, 2, source, out, "--model", model_path)
    assert sorted(folder.parent.rglob("*")) == before


def test_a_read_only_folder_is_refused(
    folder: Path, model_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what the operating system says, for reading and for writing."""

    def refuse_access(*_: object, **__: object) -> Any:
        raise PermissionError(13, "Permission denied", str(folder))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", refuse_access)
        assert "Permission denied; choose another OUT" in refuse(capsys, 2, folder, "out", "--model", model_path)
    monkeypatch.setattr(os, "scandir", refuse_access)
    assert f"can't read {folder}: Permission denied" in refuse(capsys, 2, folder, "out", "--model", model_path)


CHANGES: dict[str, Callable[[Path], object]] = {
    "appears": lambda folder: (folder / "c.csv").write_text("id"),
    "vanishes": lambda folder: (folder / "a.parquet").unlink(),
    "is replaced": lambda folder: (folder / "a.parquet").write_bytes((folder / "b.parquet").read_bytes() + b" "),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_meanwhile_is_noticed(
    folder: Path, model_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """OUT doesn't appear."""

    def score_and_change(*arguments: Any) -> Iterator[pa.RecordBatch]:
        yield from score_batches(*arguments)
        CHANGES[change](folder)

    monkeypatch.setattr(score.local, "score_batches", score_and_change)

    line = refuse(capsys, 2, folder, folder.parent / "out", "--model", model_path)

    assert line == f"can't score: the files of {folder} changed while they were scored; score again"
    assert not (folder.parent / "out").exists()


def test_an_interruption_is_one_sentence_and_the_next_run_goes_on(
    folder: Path, model_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 130, as shells give it after Ctrl-C."""

    def interrupt(*arguments: Any) -> Iterator[pa.RecordBatch]:
        yield next(score_batches(*arguments))
        raise KeyboardInterrupt

    out = folder.parent / "out"
    with monkeypatch.context() as patch:
        patch.setattr(score.local, "score_batches", interrupt)
        assert refuse(capsys, 130, folder, out, "--model", model_path).startswith(
            "interrupted; run the same command again"
        )

    assert main([str(folder), str(out), "--model", str(model_path)]) == 0
    assert pq.read_table(out / "scores").num_rows == 100


def test_a_full_disk_is_one_sentence_and_the_next_run_goes_on(draw: Draw, model_path: Path, tmp_path: Path) -> None:
    """The operating system refuses to write more."""
    pq.write_table(draw(5_000), tmp_path / "x.parquet")
    command = [
        sys.executable,
        "-m",
        "score",
        str(tmp_path / "x.parquet"),
        str(tmp_path / "out"),
        "--model",
        str(model_path),
    ]

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_BYTES, MAX_FILE_BYTES))

    full = subprocess.run(command, check=False, capture_output=True, text=True, preexec_fn=limit)
    whole = subprocess.run(command, check=False, capture_output=True, text=True)

    assert full.returncode == 2
    assert full.stderr.startswith(
        f"can't score: can't write {tmp_path}/.out.unfinished/scores/part-00000.parquet: File too large"
    )
    assert full.stderr.count("\n") == 1
    assert whole.returncode == 0


@pytest.mark.parametrize("content", [b"", b"no model", b"\x08\n" * 40])
def test_a_model_that_is_none_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    """Empty, text, or binary; a folder; an absent file."""
    (tmp_path / "model").write_bytes(content)

    for model in ("model", "in", "absent"):
        assert refuse(capsys, 2, folder, tmp_path / "out", "--model", tmp_path / model).startswith("can't score: ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--spark-master", "local[2]"), "--spark-master needs --engine spark"),
        (("--engine", "spark", "--spark-master", "foo"), "--spark-master is 'foo', expected one such as local[2]"),
        (("--decimal", ";"), "invalid choice: ';'"),
        (("--model", ""), "expected a path, got ''"),
        (("--model", "\0"), "expected a path, got "),
    ],
)
def test_options_that_can_not_be_used_are_refused(
    options: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the parser."""
    with pytest.raises(SystemExit, match="2"):
        main(["in", "out", *options])

    assert message in capsys.readouterr().err


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    options=st.lists(
        st.tuples(
            st.sampled_from(
                ["--separator", "--decimal", "--encoding", "--id", "--reasons", "--threads", "--model", ""]
            ),
            st.text(max_size=3)
            | st.sampled_from(["utf-7", "idna", "hex", "undefined", "tab", ";", ",", ".", "utf-16"]),
        ),
        max_size=3,
    ),
    content=st.binary(max_size=40) | st.text(st.sampled_from('id,;\t"\n\r1.'), max_size=20).map(str.encode),
    name=st.sampled_from(["x.csv", "x.csv.gz", "x.tsv", "x.txt", "x.parquet", "x.zst", "a=b.csv", "\udcff.csv"]),
)
def test_no_argument_and_no_file_ends_in_a_trace(
    model_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    options: list[tuple[str, str]],
    content: bytes,
    name: str,
) -> None:
    """Exit code 2, or 0 for a file that happens to be a portfolio."""
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / name).write_bytes(content)
    arguments = [part for option in options for part in option if part]
    try:
        code = main([str(folder / name), str(folder / "out"), "--model", str(model_path), *arguments])
    except SystemExit as error:
        code = int(str(error.code))

    assert code in (0, 2)
