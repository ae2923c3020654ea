"""Alert rules and dashboard: valid, about metrics that exist, and of the same formulas as the code."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from model.bins import MIN_COUNT, Bins, Counts, published_counts
from model.stability import chi2_quantile, measure_noise, psi
from serve.metrics.gauges import describe_monitor
from tests.monitor.monitors import make_monitor
from tests.serve.files import with_contract
from tests.serve.running import running, wait_until
from tests.tools import require

FOLDER = "deploy/monitoring"

KEYWORDS = {"and", "bool", "offset", "or"}

BY_PROMETHEUS = {"ALERTS"}

ONLY_WITHOUT_RECORDS = "credit_(values_by_bin_total|reference_applicants|noise_factor)$"

ONLY_WITH_RECORDS = "credit_(decisions_(?!total)|challenger_|monitor_|population_stability|mean_probability$)"

APPLICANT = {"data": [[5, 5, 48, 0, 0, 60, 140, 0, 0, 1300, 1700]]}

CHANCE = 0.001

N_FIELDS = 15
"""Of one test: promtool stops at 10,000 samples in an expression."""

TOLERANCE = 1e-9


def run_promtool(*arguments: str | Path) -> None:
    """Run promtool; its output is in the message if it fails."""
    done = subprocess.run([require("promtool"), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def dashboard(root: Path) -> dict[str, Any]:
    """The dashboard."""
    content: dict[str, Any] = json.loads((root / FOLDER / "dashboard.json").read_text())
    return content


@pytest.fixture(scope="module")
def rules(root: Path) -> list[dict[str, Any]]:
    """All rules."""
    groups = yaml.safe_load((root / FOLDER / "rules.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions_of(dashboard: dict[str, Any]) -> list[str]:
    """What the panels ask, with values for Grafana's variables."""
    found = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    return [re.sub(r"\$\w+", "x", expression.replace("[$__rate_interval]", "[5m]")) for expression in found]


def names_in(expression: str) -> set[str]:
    """The names of the metrics in an expression: neither strings, labels nor ranges, nor functions and keywords."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^]]*\]|\b(by|on|group_left) *\([^)]*\)', " ", expression)
    return set(re.findall(r"\b[A-Za-z_][\w:]*\b(?!\s*\()", bare)) - KEYWORDS


def test_the_rules_are_valid(root: Path) -> None:
    """As Prometheus reads them."""
    run_promtool("check", "rules", root / FOLDER / "rules.yml")


@pytest.mark.parametrize("name", ["rules_test.yml", "no_decisions_test.yml"])
def test_each_alert_fires_when_it_should(root: Path, name: str) -> None:
    """And not otherwise."""
    run_promtool("test", "rules", root / FOLDER / name)


def test_each_alert_has_a_case_that_fires_and_tells_what_to_do(root: Path, rules: list[dict[str, Any]]) -> None:
    """Summary, description and severity; a case with, and one without an alert."""
    alerts = {rule["alert"]: rule for rule in rules if "alert" in rule}
    files = [root / FOLDER / name for name in ("rules_test.yml", "no_decisions_test.yml")]
    cases = [
        case
        for file in files
        for test in yaml.safe_load(file.read_text())["tests"]
        for case in test.get("alert_rule_test", ())
    ]

    assert {case["alertname"] for case in cases if case["exp_alerts"]} == set(alerts)
    for rule in alerts.values():
        assert set(rule["annotations"]) == {"summary", "description"}
        assert rule["labels"]["severity"] in {"info", "warning", "critical"}


def draw_counts(rng: np.random.Generator) -> tuple[Counts, Counts]:
    """Counts of a model file, some empty and some published as 10, and of a window, by bin."""
    size = int(rng.integers(1, 12))
    before = rng.choice([0, 10, 50, 200, 1_000], size, p=[0.1, 0.2, 0.3, 0.2, 0.2])
    after = np.where(rng.random(size) < 0.3, 0, rng.integers(1, 500, size))
    before[0], after[-1] = 100, after[-1] + 3
    return before, after


def write_case(fields: list[tuple[Counts, Counts]], rules: Path) -> str:
    """A test for promtool: forty minutes, in which each counter grows evenly to its count."""
    series, checks = [], []
    for number, (before, after) in enumerate(fields):
        labels = f'job="a", version="v", field="F{number}"'
        series.append({"series": f"credit_noise_factor{{{labels}}}", "values": "1x40"})
        for place, (reference, count) in enumerate(zip(before.tolist(), after.tolist(), strict=True)):
            of_bin = f'{{{labels}, bin="{place}"}}'
            series.append({"series": f"credit_reference_applicants{of_bin}", "values": f"{reference}x40"})
            series.append({"series": f"credit_values_by_bin_total{of_bin}", "values": f"0+{count / 40!r}x40"})
        index, noise = expect(before, after)
        for name, value in (("", index), (":noise", noise)):
            asked = f'abs(credit:population_stability{name}{{field="F{number}", window="week"}} - {value!r})'
            sample = {"labels": f'{{{labels}, window="week"}}', "value": 1}
            checks.append({"expr": f"{asked} < bool {TOLERANCE}", "eval_time": "40m", "exp_samples": [sample]})
    case = {"interval": "1m", "input_series": series, "promql_expr_test": checks}
    return json.dumps({"rule_files": [str(rules)], "evaluation_interval": "4m", "tests": [case]})


def expect(published: Counts, after: Counts) -> tuple[float, float]:
    """The index and, for a factor of 1, its noise, by the code."""
    before = published_counts(Bins(tuple(published[:-1].tolist()), int(published[-1])), np.append(after, 0))[:-1]
    freedom = max(int(np.count_nonzero(before + after)) - 1, 1)
    noise = float(measure_noise(before, after, CHANCE))
    return float(psi(before, after)), noise / chi2_quantile(1 - CHANCE, freedom)


@pytest.mark.parametrize("seed", range(4))
def test_index_and_noise_are_those_of_the_code(root: Path, tmp_path: Path, seed: int) -> None:
    """Of counts that are empty before, after or both, rare, and published as 10."""
    rng = np.random.default_rng(seed)
    fields = [draw_counts(rng) for _ in range(N_FIELDS)]
    assert any((before == MIN_COUNT // 2).any() for before, _ in fields)
    case = tmp_path / "test.yml"
    case.write_text(write_case(fields, root / FOLDER / "rules.yml"))

    run_promtool("test", "rules", case)


def test_prometheus_parses_every_panel(dashboard: dict[str, Any], tmp_path: Path) -> None:
    """Each expression as a rule."""
    rules = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(expressions_of(dashboard))]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))

    run_promtool("check", "rules", file)


def test_the_dashboard_fits_any_grafana(dashboard: dict[str, Any]) -> None:
    """Data source and job are variables, panels neither overlap nor share an id, each says what it shows."""
    panels = dashboard["panels"]
    taken = [
        (column, line)
        for panel in panels
        for column in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for line in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len(taken) == len(set(taken))
    assert {column for column, _ in taken} == set(range(24))
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert dashboard["id"] is None
    shown = [panel for panel in panels if panel["type"] != "row"]
    assert all(panel["description"] and panel["title"] for panel in shown)
    asked = [part for panel in shown for part in (panel, *panel["targets"])]
    assert {part["datasource"]["uid"] for part in asked} == {"${datasource}"}
    for panel in shown:
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
    variables = {variable["name"] for variable in dashboard["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(dashboard, ensure_ascii=False))) - {"__rate_interval"}
    assert used == variables


@pytest.fixture(scope="module", params=[False, True], ids=["counters", "records"])
def served(root: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> set[str]:
    """The names of the samples of a running service, without and with decisions on record and a challenger."""
    content = (root / "artifacts" / "model.onnx").read_bytes()
    folder = tmp_path_factory.mktemp("service")
    (folder / "challenger.onnx").write_bytes(with_contract(content, version="2"))
    url = f"sqlite:///{folder / 'decisions.db'}" if request.param else ""
    challenger = str(folder / "challenger.onnx") if request.param else ""
    with running(folder, content, DECISIONS_URL=url, CHALLENGER_PATH=challenger) as service:
        service.ask("POST", "/predict", APPLICANT)
        wait_until(lambda: "credit_monitor_waiting" in service.metrics() or not request.param)
        families = list(text_string_to_metric_families(service.ask("GET", "/metrics").text))
    # The first summary has no decisions, and the next one comes after half a minute.
    families += describe_monitor(make_monitor()) if request.param else ()
    return {sample.name for family in families for sample in family.samples}


def test_every_metric_in_rules_and_dashboard_exists(
    served: set[str], root: Path, rules: list[dict[str, Any]], dashboard: dict[str, Any]
) -> None:
    """In the rules, or in GET /metrics of a service with records, or of one without."""
    recorded = {rule["record"] for rule in rules if "record" in rule}
    asked = {name for rule in rules for name in names_in(rule["expr"])}
    asked |= {name for expression in expressions_of(dashboard) for name in names_in(expression)}
    with_records = "credit_decisions_connected" in served
    elsewhere = ONLY_WITHOUT_RECORDS if with_records else ONLY_WITH_RECORDS

    missing = asked - recorded - served - BY_PROMETHEUS

    assert {name for name in missing if not re.match(elsewhere, name)} == set()
    assert {name for name in served if re.match(elsewhere, name)} == set()
