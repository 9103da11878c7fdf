"""Does the bucket in which the data lies answer, before anything is worked out?"""

from __future__ import annotations

from typing import Any, cast

from kedro.config import AbstractConfigLoader, MissingConfigException

from evergreen.configuration import IN_BUCKET
from evergreen.deadlines import MlflowDeadlines, OverdueError, within
from evergreen.errors import EvergreenError
from evergreen.paths import is_remote, place, plain
from evergreen.redaction import redact


def ask_bucket(loader: AbstractConfigLoader) -> None:
    """Ask for the bucket of ``EVERGREEN_DATA``, as every later request does; a folder of this machine is not asked for.

    Raises:
        EvergreenError: Where it does not exist, refuses, or does not answer in time; nothing was run.
    """
    data = plain(loader["globals"]["data"])
    if not is_remote(data):
        return
    try:
        login = loader["credentials"].get(IN_BUCKET)
    except MissingConfigException:
        login = None
    where = cast(Any, place(data, login, loader["globals"].get("fs_args")))
    bucket = where.path.strip("/").partition("/")[0]
    seconds = MlflowDeadlines.model_validate(loader["parameters"]["mlflow_server"]).first_answer_seconds
    todo = "nothing was run; correct EVERGREEN_DATA, its login or `fs_args`, or wait for it"
    try:
        within(seconds, lambda: where.fs.info(bucket))
    except OverdueError as error:
        raise EvergreenError(f"the bucket of {redact(data)} gave {error}: {todo}.") from error
    except FileNotFoundError as error:
        raise EvergreenError(f"the bucket of {redact(data)} does not exist: {todo}.") from error
    except Exception as error:  # each provider's package has its own
        said = redact(str(error)).rstrip(".") or type(error).__name__
        raise EvergreenError(f"the bucket of {redact(data)} cannot be used ({said}): {todo}.") from error
