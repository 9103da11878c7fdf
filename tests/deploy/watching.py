"""A service of the project, Prometheus and Alertmanager as they are configured, all on free ports of this machine."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from local_server import free_port, running
from tests_support import ROOT, Project

DEPLOY = ROOT / "deploy"
KEY = "k3y-of-prometheus"
PATIENCE_SECONDS = 120


def wait_until(look: Callable[[], Any], enough: Callable[[Any], bool]) -> Any:
    """Look until it is enough; returns what was seen last."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not enough(found := look()):
        assert time.monotonic() < end, f"it never came: {found}"
        time.sleep(0.5)
    return found


@dataclass
class ServedProject:
    """``kedro serve`` of a project, on one port whenever it is started."""

    project: Project
    use_case: str
    options: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> ServedProject:
        """Start it and wait until it is ready."""
        command = [sys.executable, "-m", "kedro", "serve", f"--use-case={self.use_case}", f"--port={self.port}"]
        surroundings = {**os.environ, "EVERGREEN_DATA": str(self.project.data), **self.environment}
        surroundings.pop("PYTHONDONTWRITEBYTECODE", None)
        self.process = subprocess.Popen([*command, *self.options], cwd=ROOT, env=surroundings)
        wait_until(lambda: self.ask("/ready")[0], lambda status: status == 200)
        return self

    def stop(self) -> None:
        """End it as an orchestrator does."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)

    def ask(self, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON of one request; 0 where nobody listens."""
        assert self.process is not None
        assert self.process.poll() is None, "the service ended by itself"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        content = None if body is None else json.dumps(body).encode()
        try:
            connection.request("GET" if body is None else "POST", path, content, {"X-API-Key": KEY})
            answer = connection.getresponse()
            found = answer.read()
            return answer.status, json.loads(found) if found[:1] in b"{[" else found.decode()
        except OSError:
            return 0, None
        finally:
            connection.close()


@contextmanager
def textfiles(folder: Path) -> Iterator[int]:
    """What node-exporter's textfile collector does: every use case's ``.prom`` files on one page; yields its port."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = "".join(file.read_text() for file in sorted(folder.glob("*/*.prom"))).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus."""

    port: int

    def get(self, path: str, **query: str) -> Any:
        """Its API's data."""
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        ) as found:
            return json.loads(found.read())["data"]

    def value(self, expression: str) -> list[dict[str, Any]]:
        """The samples that an expression has now."""
        return list(self.get("query", query=expression)["result"])

    def firing(self) -> set[str]:
        """Names of the alerts that fire."""
        return {each["labels"]["alertname"] for each in self.get("alerts")["alerts"] if each["state"] == "firing"}


def hastened(text: str) -> str:
    """Rules that wait for a second instead of minutes."""
    return re.sub(r"for: \d+m", "for: 1s", text)


@contextmanager
def watching(folder: Path, service: int, records: int, receiver: int, programs: dict[str, str]) -> Iterator[Prometheus]:
    """Prometheus and Alertmanager with the project's files; only addresses and waiting times are the test's."""
    port, alerts = free_port(), free_port()
    (folder / "key").write_text(KEY)
    (folder / "rules.yml").write_text(hastened((DEPLOY / "prometheus/rules.yml").read_text()))
    scraped = (DEPLOY / "prometheus/prometheus.yml").read_text()
    for before, after in {
        "service:8080": f"127.0.0.1:{service}",
        "node-exporter:9100": f"127.0.0.1:{records}",
        "alertmanager:9093": f"127.0.0.1:{alerts}",
        "/run/secrets/evergreen_metrics_key": str(folder / "key"),
    }.items():
        assert before in scraped
        scraped = scraped.replace(before, after)
    (folder / "prometheus.yml").write_text(re.sub(r"(_interval): \d+s", r"\1: 1s", scraped))
    routes = (DEPLOY / "alertmanager/alertmanager.yml").read_text()
    routes = re.sub(r"url_file: /run/secrets/(\w+)", rf"url: http://127.0.0.1:{receiver}/\1", routes)
    routes = re.sub(r"(group_wait|group_interval): \w+", r"\1: 1s", routes)
    (folder / "alertmanager.yml").write_text(routes)
    commands = {
        alerts: ["alertmanager", "config.file=alertmanager.yml", "cluster.listen-address=", "storage.path=alerts"],
        port: ["prometheus", "config.file=prometheus.yml", "storage.tsdb.path=samples"],
    }
    with ExitStack() as both:
        for at, (program, *options) in commands.items():
            places = [f"--{option}" for option in options]
            place = folder / program
            place.mkdir()
            command = [programs[program], f"--web.listen-address=127.0.0.1:{at}", *places]
            both.enter_context(running(command, f"http://127.0.0.1:{at}/-/ready", folder))
        yield Prometheus(port)
