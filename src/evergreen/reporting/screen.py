"""The screen at the end of a run: champion, metrics, alarms, decision, where to look."""

from __future__ import annotations

from typing import Any

from evergreen.wording import in_words

Records = dict[str, dict[str, Any]]
RULE = "─" * 78


def summary(records: dict[str, Records], data: str) -> str:
    """One screen for all use cases.

    Args:
        records: Use case → name of the record (``training``, ``evaluation``, …) → its content as loaded.
        data: The folder that holds all layers.
    """
    parts = [_use_case(name, found) for name, found in records.items() if found]
    where = f"Records and reports: {data}/08_reporting/<use_case>/   Versions: kedro models list --use-case <use_case>"
    return "\n".join([RULE, *parts, where, RULE])


def _use_case(name: str, records: Records) -> str:
    lines = [name]
    if "evaluation" in records:
        lines += _evaluation(records["evaluation"], records.get("training", {}))
    if "monitoring" in records:
        lines.append(_monitoring(records["monitoring"]))
    if "retraining" in records:
        lines += _retraining(records["retraining"])
    return "\n  ".join(lines)


def _evaluation(evaluation: dict[str, Any], training: dict[str, Any]) -> list[str]:
    auc = evaluation["metrics"]["test"]["roc_auc"]
    baseline = evaluation["test_roc_auc"].get("LogisticRegression")
    promotion = evaluation["promotion"]
    champion = promotion["champion_after"] or "none"
    figures = f"test AUC {_number(auc['value'])} ({_number(auc['low'])} to {_number(auc['high'])})"
    against = f"logistic regression {_number(baseline)}"
    lines = [
        f"champion   version {champion}",
        f"judged     version {evaluation['version']} {evaluation['algorithm']}: {figures}, {against}, "
        f"on {evaluation['n_test']:,} test rows",
        f"decision   {promotion['outcome']}{_reason(promotion)}",
    ]
    if training.get("status") == "reused":
        lines.append(f"training   version {training['version']} reused: same rows, same parameters")
    return lines


def _monitoring(record: dict[str, Any]) -> str:
    drifted = [name for name, column in record["drift"]["columns"].items() if column["alarm"]]
    fallen = [name for name, drop in ((record["performance"] or {}).get("metrics") or {}).items() if drop["alert"]]
    alarms = [f"{len(drifted)} of {len(record['drift']['columns'])} columns drifted{_listed(drifted)}"]
    if fallen:
        auc = record["performance"]["metrics"]["roc_auc"]
        alarms.append(f"performance fell (AUC {_number(auc['reference'])} → {_number(auc['window']['value'])})")
    status = in_words(record["status"])
    return f"monitored  version {record['version']}, {record['rows']:,} rows: {status}; {', '.join(alarms)}"


def _retraining(record: dict[str, Any]) -> list[str]:
    lines = [f"retraining {in_words(record['status'])}: {record['reason']}"]
    if record["challenger"] is not None:
        challenger = record["challenger"]
        lines.append(
            f"challenger version {challenger['version']} {challenger['algorithm']}, "
            f"trained on {challenger['training_rows']:,} rows ({in_words(challenger['choice'] or 'earlier')})"
        )
    before, after = record["champion"]["before"], record["champion"]["after"]
    lines.append(f"champion   version {before} → {after}" if before != after else f"champion   stays version {after}")
    return lines


def _listed(names: list[str], most: int = 3) -> str:
    shown = ", ".join(names[:most]) + (", …" if len(names) > most else "")
    return f" ({shown})" if names else ""


def _reason(promotion: dict[str, Any]) -> str:
    if promotion["decision"] is None:
        return ": it serves already"
    return ": " + " ".join(promotion["decision"]["reasons"])


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
