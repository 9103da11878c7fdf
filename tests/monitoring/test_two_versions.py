"""Claims about a window that two versions watched, as happens after a rollback."""

from __future__ import annotations

import pandas as pd

from evergreen.monitoring.alerts import alerts_over_time
from evergreen.monitoring.conclude import rows_of, with_earlier
from monitored_window import DAY, observe, table


def test_what_another_version_saw_of_a_window_neither_opens_nor_hides_an_alert() -> None:
    loud = observe(table(0), table(1, shift=0.5), quiet_windows=0).history.assign(version="1")
    quiet = observe(table(0), table(3), quiet_windows=0).history.assign(version="2")
    past = pd.concat([loud, quiet], ignore_index=True)

    def alerted(version: str) -> list[str]:
        return [alert.column for alert in alerts_over_time(with_earlier(past, rows_of(past, version, DAY)))]

    assert alerted("1") == ["income"]
    assert alerted("2") == []
