"""report.html: self-contained, accessible, complete, and the same bytes for the same findings."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from msgspec import structs

from model.estimates import Estimate
from train.correction import Correction
from train.report.findings import EvaluationRecord, Findings
from train.report.model_card import render_model_card
from train.report.report_page import render_report, share_missing
from train.windows import Window

VOID = {"meta", "br", "hr", "img", "path", "use", "rect", "link", "input"}


class Reader(HTMLParser):
    """Collects the addresses that a browser would fetch, the texts and ids, and the tags still open."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect addresses and ids, and open the tag."""
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the addresses of a self-closing tag."""
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag: str) -> None:
        """Close the tag, which must be the innermost open one."""
        if tag not in VOID:
            assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        """Collect a text."""
        self.texts.append(data)


@pytest.fixture(scope="module")
def page(findings: Findings) -> str:
    """The page as text."""
    return render_report(findings).decode()


@pytest.fixture(scope="module")
def read(page: str) -> Reader:
    """The parsed page; fails on tags that don't match."""
    reader = Reader()
    reader.feed(page)
    return reader


def test_the_page_is_well_formed_and_fetches_nothing(page: str, read: Reader) -> None:
    """All tags are closed, all links are internal; there are no scripts, fonts or addresses in the style sheet."""
    assert read.open == []
    assert {address for address in read.fetched if not address.startswith("#")} == set()
    assert {address[1:] for address in read.fetched if address[1:].isalpha()} <= set(read.ids)
    assert "<script" not in page
    assert "@import" not in page
    assert "url(http" not in page


def test_the_page_states_the_provenance_of_the_model(read: Reader, findings: Findings) -> None:
    """sha256 of file, data and card; commit, versions, time of training, source and licence."""
    text = " ".join(read.texts)
    training = findings.contract.training
    facts = [findings.sha256, training.data_sha256, training.card_sha256, training.commit, findings.contract.version]

    assert [fact for fact in [*facts, "2026-01-02T03:04:05Z", "python 3", "MIT", "Made here"] if fact not in text] == []


def test_the_sections_follow_the_verdict(page: str) -> None:
    """Headline first, then one section for each topic."""
    order = [
        "headline",
        "discrimination",
        "calibration",
        "over-time",
        "policy",
        "fields",
        "fairness",
        "segments",
        "stability",
        "data",
        "provenance",
    ]
    places = [page.index(f'class="{word}"' if word == "headline" else f'id="{word}"') for word in order]

    assert sorted(places) == places


def test_labels_are_escaped(page: str, read: Reader) -> None:
    """Markup in a label of the card is shown as text."""
    assert "<of>" not in page
    assert any("Amount <of> it" in text for text in read.texts)
    assert any("$housing$ 住" in text for text in read.texts)


def test_intervals_do_not_wrap(page: str, findings: Findings) -> None:
    """On a narrow screen the line may break before an interval, not within it."""
    auc = findings.main.auc

    assert f"{auc.value:.3f} <span class='nowrap'>({auc.low:.3f}–{auc.high:.3f})</span>" in page


def test_every_plot_has_an_accessible_name(page: str) -> None:
    """Each SVG is in a figure with role and label."""
    assert page.count("<svg") == page.count('<figure role="img" aria-label="')


@pytest.mark.usefixtures("with_plots")
def test_the_same_findings_give_the_same_bytes(page: str, findings: Findings) -> None:
    """No time stamp or random id."""
    assert page.encode() == render_report(findings)


def test_with_times_every_figure_is_given_in_time_and_out_of_time(findings_over_time: Findings) -> None:
    """Quality, calibration, decisions and strategy have both; the periods are plotted, and the windows in a table."""
    assert findings_over_time.trained is not None
    window = Window(1.0, 960, 11_000, 0.8, 0.4)
    trained = replace(findings_over_time.trained, windows=(window,))

    page = render_report(replace(findings_over_time, trained=trained)).decode()

    reader = Reader()
    reader.feed(page)
    titles = {text.strip() for text in reader.texts}
    assert {"Decisions, in time", "Decisions, out of time", "Training windows"} <= titles
    assert {"Acceptance strategy table, in time", "Score bands, out of time", "all, since 2000-02-13"} <= titles
    assert page.count("<th>in time</th><th>out of time</th>") == 2
    for sample in findings_over_time.samples:
        assert f"{sample.quality.log_loss:.4f}" in page
        assert f"{sample.calibration.error:.4f}" in page
    assert "Default rate by period" in page
    assert "2007, hold-out" in page
    assert "the newest, since 2007-01-01" in page


def test_segments_are_shown_in_each_population(findings_over_time: Findings) -> None:
    """A row for each group and population, with the numbers of applicants."""
    page = render_report(findings_over_time).decode()
    section = page[page.index('id="segments"') : page.index('id="stability"')]

    (segment,) = findings_over_time.segments
    figures = [one for group in segment.groups for one in group.figures if one is not None]
    assert section.count("<tr><td>") == len(figures)
    assert all(f"<td>{one.count}</td>" in section for one in figures)


def test_without_times_it_says_that_it_was_not_tested_over_time(page: str) -> None:
    """With how to test it."""
    assert "The model wasn't tested over time: its hold-out is random." in page


def test_new_applications_have_no_figures_of_training(findings_on_new: Findings) -> None:
    """The page of an evaluation leaves out candidates and export, and has one column of figures."""
    page = render_report(findings_on_new).decode()

    assert "<h3>Candidates</h3>" not in page
    assert "export check" not in page
    assert "<th>new applications</th>" in page


def test_the_role_of_each_column_is_told(findings: Findings) -> None:
    """Target, id, time, weight and group beside what is left out, and the rows that are in neither part."""
    dataset = structs.replace(findings.card.dataset, id="number", time="applied", weight="stands_for", group="person")
    assert findings.trained is not None
    found = replace(
        findings,
        card=structs.replace(findings.card, dataset=dataset),
        trained=replace(findings.trained, rows_left_out=70),
        out_of_sample=replace(findings.out_of_sample, weight=findings.out_of_sample.y.astype(np.float64) + 1),
    )

    for text in (render_report(found).decode(), render_model_card(found).decode()):
        for told in ("Target: 1 means default.", "Id of the application.", "Time of application.", "Not used: a code."):
            assert told in text
        assert all(column in text for column in ("number", "applied", "stands_for", "person", "branch"))
        assert "70 older applications of groups that are in the hold-out" in text
        y = findings.out_of_sample.y
        rate = 2 * y.sum() / (y + 1).sum()
        assert f"{len(y):,} applications, default rate {100 * rate:.1f}%, weighted by stands_for" in text


def test_codes_count_as_missing_values(findings: Findings) -> None:
    """As in the model; a number of 1 to 19 isn't told."""
    sample, fields = findings.out_of_sample, findings.contract.fields
    X = sample.X.copy()
    X[:, 1] = np.where(np.arange(len(X)) < 240, 999, X[:, 1])
    coded = (fields[0], structs.replace(fields[1], missing=(999.0,)), fields[2])
    few = X.copy()
    few[3:, 1] = 1.0

    shares, hidden = (
        share_missing(
            replace(
                findings,
                contract=structs.replace(findings.contract, fields=coded),
                out_of_sample=replace(sample, X=rows),
            )
        )
        for rows in (X, few)
    )

    assert shares == [np.isnan(X[:, 0]).mean(), 240 / len(X), 0]
    assert hidden[1] == 10 / len(X)


def test_an_evaluation_names_its_table_and_the_absence_of_a_card(findings_on_new: Findings) -> None:
    """The SHA-256 in the model file is that of the training table."""
    found = replace(findings_on_new, fairness=(), evaluated=EvaluationRecord("e" * 64, has_card=False))

    page = render_report(found).decode()

    training = findings_on_new.contract.training
    assert f"<th>sha256 of the training data</th><td><code>{training.data_sha256}</code>" in page
    assert f"<th>sha256 of these applications</th><td><code>{'e' * 64}</code>" in page
    assert "Not assessed: no card was given" in page
    assert "the card has no protected field" not in page


def test_the_folds_of_candidates_are_named(findings: Findings, findings_over_time: Findings) -> None:
    """Figures of forward folds are of other rows than those in time."""
    assert "<th>log loss, 1 fold</th>" in render_report(findings).decode()
    for text in (render_report(findings_over_time).decode(), render_model_card(findings_over_time).decode()):
        assert "log loss, 1 forward fold" in text


def test_a_correction_is_shown_with_its_intervals(findings: Findings) -> None:
    """In Calibration with intervals, and in Provenance as it is in the file."""
    assert findings.trained is not None
    correction = Correction(Estimate(-0.2, -0.3, -0.1), Estimate(0.8, 0.75, 0.85))
    training = structs.replace(findings.contract.training, correction=correction.line)
    corrected = replace(
        findings,
        contract=structs.replace(findings.contract, training=training),
        trained=replace(findings.trained, correction=correction),
    )

    page = render_report(corrected).decode()

    assert "slope 0.800 <span class='nowrap'>(0.750–0.850)</span>" in page
    assert "log-odds = −0.200 + 0.800 · log-odds of the fitted model" in page
    assert "corrected by a line" not in render_report(findings).decode()
