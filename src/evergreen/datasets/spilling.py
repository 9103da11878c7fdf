"""Where does DuckDB put the rows that do not fit into its memory?"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import ibis
from ibis.backends import BaseBackend

from evergreen.scratch import lasting_folder


class Spilling:
    """A table whose DuckDB spills among this process' copies, not into ``.tmp`` of the folder that it was started in.

    There the rows would outlive a process that is killed, and a folder that nobody may write would end the query.
    ``connection.temp_directory`` names another folder, which is then nobody's to tidy up.
    """

    _connection_config: dict[str, Any]

    def _connect(self) -> BaseBackend:
        config = deepcopy(self._connection_config)
        backend = config.pop("backend")
        if backend == "duckdb":
            config.setdefault("temp_directory", str(lasting_folder()))
        connection: BaseBackend = getattr(ibis, backend).connect(**config)
        return connection
