"""Default rules of other packages beside Evergreen's: false alarms, CPU time, estimated performance.

    python benchmarks/drift_peers.py false-alarms --repetitions 100     # about 25 minutes on two idle cores
    python benchmarks/drift_peers.py false-alarms --million             # about 5 minutes and 4 GB
    python benchmarks/drift_peers.py cbpe --repetitions 100             # about 5 minutes

Each package runs in its own virtual environment under ``--peers``, made where it is absent; all judge the same
files. One that cannot be installed or run says why in its line.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special
from sklearn import metrics

from drift_tables import pairs, rate, show
from evergreen.monitoring import build_profile, compare_profiles, estimate_performance

SETTINGS = {"1k / 1k": (1_000, 1_000), "5k / 200": (5_000, 200), "10k / 1k": (10_000, 1_000)}
PEERS = {  # what each package needs beside itself, its own requirements being incomplete or too wide
    "evidently": ["evidently==0.7.23", "pandas==2.3.3", "pyarrow"],
    "nannyml": ["nannyml==0.13.1", "pandas==2.3.3", "statsmodels==0.14.6", "pyarrow"],
    "alibi-detect": ["alibi-detect==0.13.0", "pyarrow==18.1.0"],
}


def scored(rng: np.random.Generator, rows: int, slope: float) -> tuple[np.ndarray, np.ndarray]:
    z = rng.normal(-1, 1.2, rows)
    return special.expit(slope * z), (rng.random(rows) < special.expit(z)).astype(int)


def realised(labels: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    predictions = scores >= 0.5
    return {
        "roc_auc": float(metrics.roc_auc_score(labels, scores)),
        "accuracy": float(metrics.accuracy_score(labels, predictions)),
        "precision": float(metrics.precision_score(labels, predictions)),
        "recall": float(metrics.recall_score(labels, predictions)),
        "f1": float(metrics.f1_score(labels, predictions)),
    }


def cbpe(args: argparse.Namespace) -> None:
    lines = []
    for name, slope in {"calibrated": 1.0, "overconfident": 1.6}.items():
        covered, ours, truths = [], [], []
        with tempfile.TemporaryDirectory() as folder:
            for seed in range(args.repetitions):
                rng = np.random.default_rng(seed)
                reference, window = scored(rng, 5_000, slope), scored(rng, 1_000, slope)
                for side, (scores, labels) in {"reference": reference, "window": window}.items():
                    frame = pd.DataFrame({"p": scores, "prediction": (scores >= 0.5).astype(int), "y": labels})
                    frame.to_parquet(f"{folder}/{side}{seed}.parquet")
                found = estimate_performance(*reference, window[0]).metrics
                truths.append(realised(window[1], window[0]))
                covered.append([found[k].low <= v <= found[k].high for k, v in truths[-1].items()])
                ours.append([found[k].value for k in truths[-1]])
            answer = run_in(args.peers / "nannyml", NANNYML_CBPE, folder, args.repetitions)
        truth = np.array([list(values.values()) for values in truths])
        theirs = np.abs(np.array(answer) - truth).mean(axis=0) if isinstance(answer, list) else None
        for i, metric in enumerate(truths[0]):
            error = np.abs(np.array(ours) - truth).mean(axis=0)[i]
            peer = answer if theirs is None else f"{theirs[i]:.4f}"
            coverage = f"{np.mean(covered, axis=0)[i]:.1%}"
            lines.append([name, metric, args.repetitions, coverage, f"{error:.4f}", peer])
    show(["scores", "metric", "windows", "interval coverage", "error", "NannyML's error"], lines)


NANNYML_CBPE = """
import sys, json, warnings, logging
warnings.simplefilter("ignore"); logging.disable(logging.CRITICAL)
import pandas as pd, nannyml
names = ["roc_auc", "accuracy", "precision", "recall", "f1"]
found = []
for i in range(int(sys.argv[2])):
    reference, window = (pd.read_parquet(f"{sys.argv[1]}/{side}{i}.parquet") for side in ("reference", "window"))
    estimator = nannyml.CBPE(y_pred_proba="p", y_pred="prediction", y_true="y", metrics=names,
        chunk_size=len(window), problem_type="classification_binary").fit(reference)
    frame = estimator.estimate(window.drop(columns="y")).filter(period="analysis").to_df()
    found.append([float(frame[(name, "value")].iloc[0]) for name in names])
print("RESULT", json.dumps(found))
"""


PEER_SCRIPTS = {
    "evidently": """
from evidently import Report
from evidently.presets import DataDriftPreset
def judge(reference, window):
    found = Report([DataDriftPreset()]).run(window, reference).dict()["metrics"]
    return found[0]["value"]["count"] > 0
""",
    "nannyml": """
import nannyml
def judge(reference, window):
    names = list(reference.columns)
    calculator = nannyml.UnivariateDriftCalculator(column_names=names, chunk_size=len(window))
    calculator.fit(reference)
    found = calculator.calculate(window).to_df()
    alerts = [column for column in found.columns if column[-1] == "alert"]
    judged = found[found[("chunk", "chunk", "period")] == "analysis"]
    return bool(judged[alerts].any().any())
""",
    "alibi-detect": """
import numpy as np
from alibi_detect.cd import TabularDrift
def judge(reference, window):
    names = list(reference.columns)
    texts = {i: None for i, n in enumerate(names) if n.startswith("c")}
    coded = [f.apply(lambda s: s.str.slice(6).astype(int) if s.name.startswith("c") else s).to_numpy(float)
             for f in (reference, window)]
    detector = TabularDrift(coded[0], p_val=0.05, categories_per_feature=texts)
    return bool(detector.predict(coded[1])["data"]["is_drift"])
""",
}
PEER_FRAME = """
import sys, json, time, warnings, logging
warnings.simplefilter("ignore"); logging.disable(logging.CRITICAL)
import pandas as pd
{script}
hits, cpu, folder, count = 0, 0.0, sys.argv[1], int(sys.argv[2])
for i in range(count):
    reference, window = (pd.read_parquet(f"{{folder}}/{{side}}{{i}}.parquet") for side in ("reference", "window"))
    for frame in (reference, window):
        for name in frame.columns[10:]:
            frame[name] = frame[name].astype(object)
    start = time.process_time()
    hits += bool(judge(reference, window))
    cpu += time.process_time() - start
print("RESULT", json.dumps([hits / count, cpu / count]))
"""


def false_alarms(args: argparse.Namespace) -> None:
    """False alarms and CPU seconds of peers' defaults beside ours; a peer that cannot run says why."""
    header = ["drift-free setting", "default rule of", "runs", "any column flagged", "CPU s a run"]
    show(header, million_lines(args) if args.million else false_alarm_lines(args))


def false_alarm_lines(args: argparse.Namespace) -> Iterator[list]:
    for name, (rows, window_rows) in SETTINGS.items():
        with tempfile.TemporaryDirectory() as folder:
            count = write_pairs(args, args.repetitions, rows, window_rows, Path(folder))
            yield [name, "evergreen", count, *judge_files(Path(folder), count)]
            for peer in PEERS:
                if peer == "nannyml" and rows < 5 * window_rows:
                    told = "– (its thresholds come from several windows' worth of reference)"
                    yield [name, peer, count, told, "–"]
                else:
                    yield [name, peer, count, *run_peer(peer, args.peers, folder, count)]


def million_lines(args: argparse.Namespace) -> Iterator[list]:
    """One run of a million rows against a million; ours with and without making the reference's profile."""
    name = "1 M / 1 M"
    with tempfile.TemporaryDirectory() as folder:
        write_pairs(args, 1, 1_000_000, 1_000_000, Path(folder))
        yield [name, "evergreen, reference profile included", 1, *judge_files(Path(folder), 1)]
        reference, window = (pd.read_parquet(f"{folder}/{side}0.parquet") for side in ("reference", "window"))
        profile = build_profile(reference)
        start = time.process_time()
        drifted = compare_profiles(profile, build_profile(window, profile)).drifted
        cpu = time.process_time() - start
        yield [name, "evergreen, against its stored profile", 1, f"{drifted:.1%}", f"{cpu:.2f}"]
        for peer in PEERS:
            flagged, seconds = run_peer(peer, args.peers, folder, 1)
            times = "–" if seconds == "–" else f"{seconds} ({float(seconds) / cpu:.0f} × ours, profile stored)"
            yield [name, peer, 1, flagged, times]


def write_pairs(args: argparse.Namespace, count: int, rows: int, window_rows: int, folder: Path) -> int:
    seeds = range(args.first_seed, args.first_seed + count)
    for i, (reference, window) in enumerate(pairs(seeds, rows, window_rows, 10)):
        reference.to_parquet(folder / f"reference{i}.parquet")
        window.to_parquet(folder / f"window{i}.parquet")
    return count


def judge_files(folder: Path, count: int) -> list[str]:
    hits, cpu = 0, 0.0
    for i in range(count):
        reference, window = (pd.read_parquet(folder / f"{side}{i}.parquet") for side in ("reference", "window"))
        start = time.process_time()
        profile = build_profile(reference)
        hits += compare_profiles(profile, build_profile(window, profile)).drifted
        cpu += time.process_time() - start
    return [rate(hits, count), f"{cpu / count:.3f}"]


def run_peer(peer: str, home: Path, folder: str, count: int) -> list[str]:
    answer = run_in(home / peer, PEER_FRAME.format(script=PEER_SCRIPTS[peer]), folder, count)
    return [answer, "–"] if isinstance(answer, str) else [rate(round(answer[0] * count), count), f"{answer[1]:.3f}"]


def run_in(environment: Path, script: str, folder: str, count: int) -> list | str:
    """Answer of a script in a peer's environment, made where it is absent; a sentence where that fails."""
    python = environment / "bin" / "python"
    if not python.exists():
        wanted = PEERS[environment.name]
        uv = [sys.executable, "-m", "uv"]
        for command in ([*uv, "venv", "-q", "-p", "3.11"], [*uv, "pip", "install", "-q", *wanted, "-p"]):
            made = subprocess.run([*command, str(environment)], capture_output=True, text=True, check=False)
            if made.returncode:
                return f"not installable: {made.stderr.strip().splitlines()[-1]}"
    done = subprocess.run([str(python), "-c", script, folder, str(count)], capture_output=True, text=True, check=False)
    answers = [line for line in done.stdout.splitlines() if line.startswith("RESULT")]
    if not answers:
        return f"failed: {(done.stderr.strip().splitlines() or ['no output'])[-1]}"
    return json.loads(answers[0].removeprefix("RESULT"))


COMMANDS = {"false-alarms": false_alarms, "cbpe": cbpe}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--repetitions", type=int, default=100)
    parser.add_argument("--first-seed", type=int, default=10_000)
    parser.add_argument("--peers", type=Path, default=Path("/tmp/peers"), help="folder of the peers' environments")
    parser.add_argument("--million", action="store_true", help="only a million rows against a million, once")
    chosen = parser.parse_args()
    COMMANDS[chosen.command](chosen)
