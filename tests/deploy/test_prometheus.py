"""Rules, routes and dashboards against a real Prometheus and Alertmanager that watch a running service."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from deploy_tools import only_with_tools, tool
from listeners import webhook
from watching import DEPLOY, KEY, Prometheus, ServedProject, hastened, textfiles, wait_until, watching

from tests_support import ROOT, Project

RULES = DEPLOY / "prometheus"
SETTINGS = "auth: required\nworkers: 1\ndrift: {every_seconds: 1, min_rows: 20, window_minutes: 60}\n"
ROW = {
    "age": 40, "income": 50000, "credit_score": 600, "account_balance": 1000, "transaction_frequency": 3,
    "avg_transaction_amount": 50, "months_as_customer": 12, "number_of_products": 2, "digital_engagement": 0.5,
    "region": "North",
}  # fmt: skip


def checked(*command: str, folder: Path = RULES) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((RULES / "rules.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def expressions() -> list[tuple[str, str]]:
    """Panel and expression of every dashboard, for all use cases."""
    boards = [json.loads(file.read_text()) for file in sorted((DEPLOY / "grafana/dashboards").glob("*.json"))]
    return [
        (f"{board['title']}, {panel['title']}", target["expr"].replace("$use_case", ".*"))
        for board in boards
        for panel in board["panels"]
        for target in panel["targets"]
    ]


@only_with_tools
def test_promtool_finds_every_rule_right_and_every_case_as_told() -> None:
    checked(tool("promtool"), "check", "rules", "rules.yml")
    checked(tool("promtool"), "test", "rules", "rules_test.yml")


def test_every_rule_has_a_case_on_which_it_fires_one_on_which_it_keeps_still_and_a_way_out() -> None:
    cases = [case["name"] for case in yaml.safe_load((RULES / "rules_test.yml").read_text())["tests"]]
    names = [rule["alert"] for rule in alerts()]
    assert sorted(cases) == sorted(f"{name} {what}" for name in names for what in ("fires", "keeps still"))
    assert {rule["labels"]["severity"] for rule in alerts()} == {"critical", "warning", "info"}
    assert all(set(rule["annotations"]) == {"summary", "action"} for rule in alerts())


@only_with_tools
def test_critical_alerts_go_to_who_is_on_call_and_the_rest_to_the_team(tmp_path: Path) -> None:
    routes = (
        (DEPLOY / "alertmanager/alertmanager.yml").read_text().replace("url_file: ", "url: http://receiver.invalid")
    )
    (tmp_path / "routes.yml").write_text(routes)  # amtool of 0.25 does not know `url_file`, which came with 0.26
    amtool = tool("amtool")
    checked(amtool, "check-config", "routes.yml", folder=tmp_path)
    for severity, receiver in {"critical": "on-call", "warning": "team", "info": "team"}.items():
        asked = ["config", "routes", "test", "--config.file=routes.yml", f"severity={severity}"]
        assert checked(amtool, *asked, folder=tmp_path).strip() == receiver


def test_a_failed_weekly_run_is_told_and_so_is_the_next_that_succeeds(tmp_path: Path) -> None:
    kedro = tmp_path / "bin" / "kedro"
    kedro.parent.mkdir()
    told = []
    for ends_with in (1, 0):
        kedro.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\nexit {ends_with}\n')
        kedro.chmod(0o755)
        surroundings = {
            "PATH": f"{kedro.parent}:{os.environ['PATH']}", "EVERGREEN_DATA": str(tmp_path),
            "EVERGREEN_USE_CASES": "churn",
        }  # fmt: skip
        ended = subprocess.run([DEPLOY / "docker/weekly.sh", "--env=test"], env=surroundings, check=False)
        text = (tmp_path / "08_reporting/churn/weekly.prom").read_text()
        told.append((ended.returncode, 'evergreen_last_run_failed{use_case="churn",run="weekly"} 1' in text))
    assert told == [(1, True), (0, False)]
    assert "--namespaces=churn --env=test" in (tmp_path / "asked").read_text()


@dataclass(frozen=True)
class Watched:
    """What the tests look at."""

    service: ServedProject
    prometheus: Prometheus
    records: Path
    told: list[dict[str, Any]]

    def alert_told(self, name: str, status: str) -> list[dict[str, Any]]:
        """What the receiver heard of an alert."""
        heard = [(post["path"], alert) for post in list(self.told) for alert in post["alerts"]]
        return [
            {**alert, "path": path}
            for path, alert in heard
            if alert["labels"]["alertname"] == name and alert["status"] == status
        ]


@pytest.fixture(scope="module")
def watched(relived: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """The champion's service, what monitoring left, and both watched; some hundred rows were asked."""
    programs = {
        name: tool({"alertmanager": "prometheus-alertmanager"}.get(name, name))
        for name in ("alertmanager", "prometheus")
    }
    folder = tmp_path_factory.mktemp("watched")
    tests = {file.name: file.read_text() for file in (ROOT / "conf" / "test").iterdir()}
    conf = relived.conf_with(folder, "watched", {**tests, "serving.yml": SETTINGS})
    records = relived.data / "08_reporting"
    weekly = 'evergreen_last_run_failed{use_case="churn",run="weekly"} 0\n'  # as weekly.sh leaves it
    (records / "churn" / "weekly.prom").write_text(weekly)
    options = (f"--conf-source={conf}", "--env=watched")
    service = ServedProject(relived, "churn", options, {"EVERGREEN_API_KEYS": KEY}).start()
    try:
        with (
            webhook() as (receiver, told),
            textfiles(records) as page,
            watching(folder, service.port, page, receiver, programs) as prometheus,
        ):
            yield Watched(service, prometheus, records, told)
    finally:
        service.stop()


@only_with_tools
def test_three_alerts_reach_the_receiver_and_are_resolved(watched: Watched) -> None:
    broken = ("EvergreenServiceDown", "EvergreenDrift", "EvergreenRealisedPerformance")
    page = watched.records / "churn" / "monitoring.prom"
    drifted = page.read_text()
    watched.service.stop()
    wait_until(watched.prometheus.firing, lambda firing: set(broken) <= firing)
    for name in broken:
        (first, *_) = wait_until(lambda name=name: watched.alert_told(name, "firing"), bool)
        assert first["path"] == ("/team_webhook" if name == "EvergreenDrift" else "/on_call_webhook")
    watched.service.start()
    quiet = drifted.replace("evergreen_alerts_open{", "evergreen_alerts_were_open{")
    page.write_text(quiet.replace('kind="realised"', 'kind="was_realised"'))
    for name in broken:
        wait_until(lambda name=name: watched.alert_told(name, "resolved"), bool)
    assert watched.prometheus.firing() & set(broken) == set()
    page.write_text(drifted)


@only_with_tools
def test_every_expression_of_the_dashboards_has_data(watched: Watched) -> None:
    for _ in range(4):
        assert watched.service.ask("/batch_predict", {"data": [ROW] * 100})[0] == 200
        assert watched.service.ask("/predict", ROW)[0] == 200
        assert watched.service.ask("/predict", {"age": 1})[0] == 422
        wait_until(lambda: watched.prometheus.value("evergreen_live_rows"), bool)

    def without_data() -> list[tuple[str, str]]:
        watched.service.ask("/predict", ROW)
        return [(panel, each) for panel, each in expressions() if not watched.prometheus.value(each)]

    assert wait_until(without_data, lambda missing: not missing) == []


@only_with_tools
def test_every_rule_can_be_computed_from_what_is_scraped(watched: Watched) -> None:
    rules = [rule for group in watched.prometheus.get("rules")["groups"] for rule in group["rules"]]
    assert {rule["health"] for rule in rules} == {"ok"}
    assert len(rules) == hastened((RULES / "rules.yml").read_text()).count("  expr: ")
    asked = {name for rule in rules for name in re.findall(r"evergreen[_:][a-z0-9_:]*[a-z0-9]", rule["query"])}

    def missing() -> set[str]:
        watched.service.ask("/predict", ROW)  # a rate wants requests in two scrapes
        return asked - set(watched.prometheus.get("label/__name__/values"))

    elsewhere = {"evergreen_last_run_timestamp_seconds"}  # the weekly run's own page has it
    assert wait_until(missing, lambda found: found <= elsewhere) == elsewhere
