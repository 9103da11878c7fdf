"""What of an experiment is worth a message: a verdict that changed."""

from __future__ import annotations

from evergreen.experiments.record import ExperimentRecord
from evergreen.reporting.monitoring.messages import AlertMessage
from evergreen.wording import in_words

WORTH_TELLING = ("ship", "roll_back", "invalid")


def experiment_messages(record: ExperimentRecord, past: ExperimentRecord | None) -> list[AlertMessage]:
    """One message where the verdict is ship, roll back or invalid, and was another before; nothing of made-up traffic.

    Args:
        record: What the experiment says now.
        past: What was said before, of whichever experiment; None: nothing.
    """
    known = (
        past is not None
        and not past.simulated
        and (past.experiment, past.status)
        == (
            record.experiment,
            record.status,
        )
    )
    if record.simulated or known or record.status not in WORTH_TELLING:
        return []
    title = f"{record.use_case}: experiment {record.experiment} says {in_words(record.status)}"
    version = record.variants[-1].version if record.variants else ""
    return [
        AlertMessage(
            use_case=record.use_case, as_of=record.as_of, version=version, title=title, severity="high",
            lines=record.reasons,
        )
    ]  # fmt: skip
