"""Does live drift speak when traffic changes, and stay silent when it does not?

    kedro run                                              a champion of churn
    python benchmarks/serving_drift.py live                real time: quiet minutes, then older customers
    python benchmarks/serving_drift.py week [--seeds 3]    10,080 simulated looks at quiet traffic

Requests are drawn from the rows that the champion's reference was made of. Live: `kedro serve` with everything on, its
defaults and a webhook; printed is how long gauge and alert took. Reads ``EVERGREEN_DATA``.
"""

from __future__ import annotations

import argparse
import asyncio
import http.server
import json
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import uvloop

from evergreen import registry
from evergreen.reporting.monitoring.messages import AlertMessage
from evergreen.serving.live_drift import LiveDrift
from evergreen.serving.loader import export
from evergreen.serving.served import Served
from evergreen.serving.settings import LiveDriftSettings
from evergreen.serving.tally import SUFFIX, Layout, LiveTally
from serving_load import ask, request
from serving_servers import DATA, HEADERS, SETTINGS, STORE, evergreen, get

USE_CASE = "churn"
QUIET_SECONDS, MOST_SECONDS, PAUSE_SECONDS = 240, 180, 0.4
LOOKS_OF_A_WEEK = 7 * 24 * 60
ROWS_A_MINUTE = 300
CHANNEL = """
{use_case}.webhook:
  type: evergreen.datasets.WebhookDataset
  url: http://127.0.0.1:{port}/
"""


def rows_of(champion: registry.ModelVersion) -> pd.DataFrame:
    """Rows of the snapshot that the champion was made from: the newest, where it was retrained."""
    file = "current_features.parquet" if champion.manifest.tested_on == "window" else "features.parquet"
    return pd.read_parquet(DATA / "04_feature" / USE_CASE / file)[champion.manifest.spec.features]


class Receiver(http.server.BaseHTTPRequestHandler):
    """Notes when a message came."""

    came: float | None = None

    def do_POST(self) -> None:
        """A message."""
        Receiver.came = Receiver.came or time.monotonic()
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Silence."""


def live() -> None:
    """Quiet minutes, then a shift of one and a half standard deviations of one feature."""
    champion = registry.load(USE_CASE, registry.aliases_of(USE_CASE)[registry.CHAMPION])
    rows = rows_of(champion).sample(2000, random_state=0)
    moved = rows.assign(age=rows["age"] + 1.5 * rows["age"].std())
    quiet, drifted = ([_body(row) for row in frame.to_dict("records")] for frame in (rows, moved))
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    webhook = CHANNEL.format(use_case=USE_CASE, port=receiver.server_port)
    with evergreen(USE_CASE, 2, SETTINGS, further=webhook) as server:
        _asked(server.port, quiet, QUIET_SECONDS)
        before = json.loads(get(server.port, "/stats"))["drift"] or {}
        silent, began = Receiver.came is None, time.monotonic()
        gauge = uvloop.run(_until_told(server.port, drifted))
        alert = "never" if Receiver.came is None else f"{Receiver.came - began:.0f} s"
    print(
        f"{QUIET_SECONDS} s of quiet traffic: status {before.get('status')}, {before.get('rows')} rows, "
        f"{'no alert' if silent else 'an ALERT'}; after the shift the gauge alarmed within {gauge}, the alert came "
        f"after {alert}"
    )


def _body(row: dict[str, Any]) -> bytes:
    plain = {name: None if pd.isna(value) else value for name, value in row.items()}
    return request("/predict", json.dumps(plain, default=float).encode(), headers=HEADERS)


def _asked(port: int, bodies: list[bytes], seconds: float) -> None:
    end = time.monotonic() + seconds
    uvloop.run(ask(port, bodies, pause=PAUSE_SECONDS, until=lambda: time.monotonic() > end))


async def _until_told(port: int, bodies: list[bytes]) -> str:
    began, over = time.monotonic(), []
    loading = asyncio.create_task(ask(port, bodies, pause=PAUSE_SECONDS, until=lambda: bool(over)))
    took = "never"
    while time.monotonic() < began + MOST_SECONDS and (took == "never" or Receiver.came is None):
        await asyncio.sleep(1)
        told = await asyncio.to_thread(get, port, "/metrics")
        alarms = [x for x in told.splitlines() if x.startswith("evergreen_live_drift_alarm") and 'column="age"' in x]
        if took == "never" and any(line.endswith(" 1.0") for line in alarms):
            took = f"{time.monotonic() - began:.0f} s"
    over.append(True)
    await loading
    return took


def week(seeds: int) -> None:
    """A week of looks at rows drawn anew from the champion's own."""
    number = registry.aliases_of(USE_CASE)[registry.CHAMPION]
    champion = registry.load(USE_CASE, number)
    rows = rows_of(champion)
    scores = np.asarray(champion.probabilities(rows))
    columns = [rows[name].to_numpy() for name in champion.manifest.spec.features]
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            served = Served(export(USE_CASE, number, Path(folder) / "exports"))
            layout = Layout(served.facts["watch"], served.features)
            tally = LiveTally(Path(folder) / f"w~{number}{SUFFIX}", layout)
            told: list[AlertMessage] = []
            drift, random = (
                LiveDrift(USE_CASE, Path(folder), LiveDriftSettings(), told.extend),
                np.random.default_rng(seed),
            )
            began = time.process_time()
            for _ in range(LOOKS_OF_A_WEEK):
                drawn = random.integers(len(rows), size=random.poisson(ROWS_A_MINUTE))
                tally.add_counts(tally.count([column[drawn] for column in columns], scores[drawn]))
                drift.look(number)
            each = (time.process_time() - began) / LOOKS_OF_A_WEEK
            print(
                f"seed {seed}: {LOOKS_OF_A_WEEK:,} looks, {len(told)} alerts; {1000 * each:.1f} CPU ms a look",
                flush=True,
            )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["live", "week"])
    parser.add_argument("--seeds", type=int, default=3)
    chosen = parser.parse_args()
    mlflow.set_tracking_uri(STORE)
    if chosen.part == "live":
        live()
    else:
        week(chosen.seeds)


if __name__ == "__main__":
    main()
