"""Documents: links, file names and commands exist, and sizes stay within their limits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from model.results import Result
from model.session import Model
from score.result_columns import scored_columns
from score.scorer import Scorer
from tests.conftest import ROOT

DOCS = sorted((ROOT / "docs").glob("*.md"))
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md")),
    *sorted((ROOT / "artifacts").glob("*.md")),
    *DOCS,
]
PICTURES = [ROOT / "docs" / "layout.svg", ROOT / "docs" / "request.svg"]

MAX_README_WORDS = 1_200
MAX_DOC_LINES = 200

SOURCE_FOLDERS = "benchmarks|bin|client|decisions|deploy|model|monitor|notebooks|requirements|score|serve|tests|train"
"""Folders whose files are all in the repository: a path below one of them must exist."""

INSTALLED_MODULES = {"pip", "pytest", "venv"}
"""Modules of Python and of libraries that documents run."""


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _without_code(text: str) -> str:
    """A Markdown text without fenced blocks and code spans."""
    return re.sub(r"`[^`]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


def _code(text: str) -> str:
    """The lines of its fenced blocks and its code spans, one a line."""
    fenced = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    spans = re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
    return "\n".join([*fenced, *spans])


def _anchors(text: str) -> set[str]:
    """The anchors of its headings, as GitHub and MkDocs make them."""
    titles = re.findall(r"^#+ (.*)", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_relative_links_lead_to_files_and_headings(document: Path) -> None:
    text = document.read_text()
    for target in re.findall(r"\]\(([^)\s]+)\)", _without_code(text)):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        file = document.parent / path if path else document
        assert file.exists(), target
        if anchor:
            assert anchor in _anchors(file.read_text()), target


@pytest.mark.parametrize("document", DOCS, ids=_name)
def test_documents_of_the_site_link_to_nothing_outside_of_it(document: Path) -> None:
    """MkDocs publishes docs/ alone: paths outside are code spans."""
    assert re.findall(r"\]\((\.\./[^)]*)\)", document.read_text()) == []


def test_the_site_shows_every_document() -> None:
    navigation = re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)

    assert sorted(navigation) == [path.name for path in DOCS]


@pytest.mark.parametrize(
    "document", [path for path in [*DOCUMENTS, *PICTURES] if path.name != "CHANGELOG.md"], ids=_name
)
def test_source_paths_exist(document: Path) -> None:
    """As in `train/export/shapley.py`, `serve/api/` or, in a picture, the name of a step."""
    text = document.read_text()
    named = re.findall(
        rf"(?<![\w./-])((?:{SOURCE_FOLDERS})/[\w./-]*)", text if document.suffix == ".svg" else _code(text)
    )

    assert [path for path in named if not (ROOT / path.rstrip(".")).exists()] == []


@pytest.mark.parametrize("document", DOCS, ids=_name)
def test_documents_are_short(document: Path) -> None:
    assert len(document.read_text().splitlines()) <= MAX_DOC_LINES


def test_the_readme_is_short() -> None:
    """In words as `wc -w` counts them."""
    assert len((ROOT / "README.md").read_text().split()) <= MAX_README_WORDS


def test_every_column_of_an_answer_is_documented(money_model: Model) -> None:
    """Of POST /score in docs/api.md, of `python -m score` in docs/portfolio.md."""
    columns = scored_columns(Scorer(money_model, 1, "id"))
    for document, names in (("api.md", Result.__struct_fields__), ("portfolio.md", columns)):
        text = (ROOT / "docs" / document).read_text()

        assert [name for name in names if not re.search(rf"\b{name}\b", text)] == []


def test_every_setting_of_the_officers_page_is_documented() -> None:
    """docs/operations.md has those of the service; tests/serve/test_settings.py compares them."""
    source = "".join(path.read_text() for path in (ROOT / "client").glob("*.py"))
    text = (ROOT / "docs" / "user-interface.md").read_text()

    assert set(re.findall(r"^\| (CREDIT_\w+) \|", text, re.MULTILINE)) == set(re.findall(r'"(CREDIT_\w+)"', source))


def test_make_targets_and_documents_agree() -> None:
    """Every target that a document names exists, and every target of `make help` is named in a document."""
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        target
        for document in DOCUMENTS
        for target in re.findall(r"^(?:\S+=\S+ )*make ([a-z-]+)", _code(document.read_text()), re.MULTILINE)
    }

    assert named - targets == set()
    assert targets - named == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_modules_of_commands_exist(document: Path) -> None:
    for module in set(re.findall(r"python\S* -m ([\w.]+)", _code(document.read_text()))) - INSTALLED_MODULES:
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module
