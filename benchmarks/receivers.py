"""Peak memory and time of a monitoring run whose webhook or mail server means harm, beside one whose receiver answers.

    python benchmarks/receivers.py

Each run is `kedro run --pipelines=monitoring` on a data folder in which the lifecycle ran once (`--env=test
--namespaces=churn`), its alerts fresh. Memory is the largest resident set. Time counts from the receiver's first
connection to the end of the process, and is told beyond that of a receiver that answers at once, less the deadline
(`deadline_seconds`): what a run is held up longer than it may be.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path

from faults import ROOT, RUN, spawn, timed

sys.path.append(str(ROOT / "tests"))
from answering import Answer, answering, dripping, endless, http, silent

DEADLINE_SECONDS = 8
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"
ANSWERS = "webhook that answers"
RECEIVERS: dict[str, tuple[str, Answer] | None] = {
    "none": None,
    ANSWERS: ("webhook", http("204 No Content", "")),
    "webhook, endless body": ("webhook", endless(HEAD, b"x" * 1_000_000)),
    "webhook, endless headers": ("webhook", endless("HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n" * 1000)),
    "webhook, endless 100 Continue": ("webhook", endless("", b"HTTP/1.1 100 Continue\r\n\r\n" * 100)),
    "webhook, one endless line": ("webhook", endless("HTTP/1.1 200 ", b"x" * 1_000_000)),
    "webhook, byte by byte": ("webhook", dripping("HTTP/1.1 200 OK\r\nX: ", 0.05)),
    "webhook, silent": ("webhook", silent),
    "mail, endless banner": ("mail", endless("", b"220-welcome\r\n" * 10_000)),
    "mail, one endless line": ("mail", endless("220-", b"x" * 1_000_000)),
    "mail, silent": ("mail", silent),
}
ENTRIES = {
    "webhook": {"type": "evergreen.datasets.WebhookDataset", "url": "http://127.0.0.1:{port}"},
    "mail": {
        "type": "evergreen.datasets.EmailDataset", "host": "127.0.0.1", "port": 0, "starttls": False,
        "sender": "a@example.org", "recipients": ["b@example.org"],
    },
}  # fmt: skip


def configured(folder: Path, kind: str, port: int) -> Path:
    """A copy of the configuration in which the test environment has a receiver."""
    conf = Path(shutil.copytree(ROOT / "conf", folder / "conf"))
    times = {"deadline_seconds": DEADLINE_SECONDS, "timeout_seconds": DEADLINE_SECONDS, "min_severity": "info"}
    entry = {**ENTRIES[kind], **times}
    entry = {**entry, "url": f"http://127.0.0.1:{port}"} if kind == "webhook" else {**entry, "port": port}
    with (conf / "test" / "catalog.yml").open("a") as catalog:
        catalog.write(f"\nchurn.{kind}: {json.dumps(entry)}\n")
    return conf


def measured(data: Path, receiver: tuple[str, Answer] | None) -> tuple[float, float | None, str]:
    """Peak memory in MB, seconds from the first connection to the end, and what the run said of the receiver."""
    met: list[float] = []

    def answer(connection: socket.socket) -> None:
        met.append(time.monotonic())
        assert receiver is not None
        receiver[1](connection)

    with answering(answer) as port, tempfile.TemporaryDirectory() as folder:
        conf = [f"--conf-source={configured(Path(folder), receiver[0], port)}"] if receiver else []
        said = Path(folder) / "said"
        words = [sys.executable, "-m", "kedro", *RUN, "--pipelines=monitoring", *conf]
        process = spawn(data, ["sh", "-c", 'exec "$@" > "$0" 2>&1', str(said), *words])
        _, status, used = os.wait4(process.pid, 0)
        ended = time.monotonic()
        process.returncode = os.waitstatus_to_exitcode(status)
        lines = said.read_text().splitlines()
    if process.returncode:
        raise RuntimeError("\n".join(lines[-5:]))
    warned = next((line for line in lines if "did not take an alert" in line), "no warning")
    return used.ru_maxrss / 1024, ended - met[0] if met else None, warned.rpartition("attempts: ")[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="the receivers whose names hold this")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        lived = Path(name) / "lived"
        timed(lived, [*RUN, "--pipelines=feature_engineering,training,evaluation,scoring"])
        least, usual = None, 0.0
        for receiver, answer in RECEIVERS.items():
            if receiver not in ("none", ANSWERS) and asked.only not in receiver:
                continue
            data = Path(shutil.copytree(lived, Path(name) / "copy"))
            peak, seconds, said = measured(data, answer)
            shutil.rmtree(data)
            least = least or peak
            usual = seconds or 0.0 if receiver == ANSWERS else usual
            beyond = (seconds or 0.0) - usual - DEADLINE_SECONDS
            late = (
                "" if seconds is None else f", {seconds:4.1f} s from its first word, {beyond:+5.1f} beyond the deadline"
            )
            print(f"{receiver:<30} peak {peak:4.0f} MB ({peak - least:+4.0f}){late}: {said}", flush=True)


if __name__ == "__main__":
    main()
