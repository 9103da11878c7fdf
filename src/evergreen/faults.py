"""What went wrong outside, in one sentence: disk, server, database, configuration; all else is a fault of ours."""

from __future__ import annotations

import errno
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn
from urllib.parse import urlsplit

import click

from evergreen.errors import EvergreenError
from evergreen.interruption import Terminated, close_runs, terminable
from evergreen.redaction import redact

LONGEST = 600
_NODE = "node "
_META = "evergreen.verbose"
OURS = (
    "This is a fault of Evergreen, not of your data or machine: please report it with the lines above and the command, "
    "without data or secrets."
)
_WHAT_TO_DO = {
    errno.ENOSPC: "free some space and run again",
    errno.EDQUOT: "free some space and run again",
    errno.EFBIG: "raise the limit of file sizes (ulimit -f) and run again",
    errno.EROFS: "let EVERGREEN_DATA name a folder that can be written to",
    errno.EACCES: "let the user who runs it read and write there, or let EVERGREEN_DATA name another folder",
    errno.EPERM: "let the user who runs it read and write there, or let EVERGREEN_DATA name another folder",
    errno.ENOTDIR: "move away the file that stands where a folder is needed",
    errno.EEXIST: "move away the file that stands where a folder is needed",
    errno.ENOENT: "check the path and run again",
    errno.EISDIR: "move away the folder that stands where a file is needed",
    errno.EMFILE: "raise the limit of open files (ulimit -n) and run again",
}
_OF_SQLITE = {
    "disk is full": "free some space and run again",
    "disk I/O error": "check the disk and the limit of file sizes (ulimit -f), and run again",
    "readonly database": "let the user who runs it write to that file and its folder",
    "unable to open": "let the user who runs it read and write its folder",
    "locked": "another process holds it: run again when that is done",
    "not a database": "it was damaged or replaced: restore it, or move it away to begin anew",
    "malformed": "it was damaged: restore it, or move it away to begin anew",
}
_CONFIGURATION = ("omegaconf", "yaml")

VERBOSE: dict[str, Any] = {
    "is_flag": True,
    "expose_value": False,
    "callback": lambda context, _, value: context.meta.__setitem__(_META, value),
    "help": "Print a fault's traceback, too.",
}


@contextmanager
def one_sentence(context: click.Context) -> Iterator[None]:
    """Let a command end non-zero with one sentence where the fault lies outside, and with a traceback where it is ours.

    Args:
        context: The command's; ``--verbose`` adds the traceback to every fault.
    """
    try:
        with terminable():
            yield
    except (KeyboardInterrupt, Terminated) as stop:
        close_runs("KILLED")
        _end(f"{stop or 'Interrupted'}: nothing was left half-written; the same command goes on from there.", stop)
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except BrokenPipeError:
        raise
    except Exception as error:
        sentence = explain(error)
        if sentence is None or context.meta.get(_META):
            click.echo(redact("".join(traceback.format_exception(error))), err=True)
        if sentence is None:
            click.echo(OURS, err=True)
            sys.exit(1)
        raise click.ClickException(sentence) from None


def _end(sentence: str, stop: BaseException) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(143 if isinstance(stop, Terminated) else 130)


def explain(error: BaseException) -> str | None:
    """The sentence for a fault that the user can act on, without secrets; None where the fault is in the code."""
    chain = list(_chain(error))
    ours = next((str(each) for each in chain if isinstance(each, EvergreenError)), None)
    if ours is not None:
        return redact(ours)
    causes = chain[::-1]  # the cause says more than what was made of it; of a server's faults it says less
    sayings = (
        (_of_system, causes), (_of_bucket, causes), (_of_database, causes), (_of_server, chain),
        (_of_engine, causes), (_of_configuration, causes), (_of_kedro, causes),
    )  # fmt: skip
    found = (sentence for saying, errors in sayings for each in errors if (sentence := saying(each)))
    sentence = next(found, None)
    return None if sentence is None else _short(_where(error) + redact(sentence))


def server_failed(error: BaseException) -> bool:
    """Whether a server that MLflow lies on did not do what was asked."""
    return any(_of_server(each) for each in _chain(error))


def name_node(error: BaseException, node: str) -> None:
    """Note down where a fault happened, for its sentence."""
    error.add_note(f"{_NODE}{node}")


def _chain(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    seen: set[int] = set()
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__


def _where(error: BaseException) -> str:
    """The node in which it happened, as the project's hook noted it down."""
    notes = [note for each in _chain(error) for note in getattr(each, "__notes__", ()) if note.startswith(_NODE)]
    return f"{notes[0].removeprefix('node ')}: " if notes else ""


def _short(sentence: str) -> str:
    text = " ".join(sentence.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__


def _of_system(error: BaseException) -> str | None:
    if isinstance(error, MemoryError):
        return f"there is not enough memory ({_first_line(error)}): lower max_rows and n_jobs, or use a larger machine."
    if not isinstance(error, OSError) or _is_of_network(error):
        return None
    place = f"{error.filename}: " if error.filename else ""
    todo = _WHAT_TO_DO.get(error.errno or 0, "put it right and run again")
    return f"{place}{error.strerror or _first_line(error)}; what was there before is unchanged: {todo}."


def _is_of_network(error: OSError) -> bool:
    return isinstance(error, ConnectionError | TimeoutError) or type(error).__module__.split(".")[0] in (
        "requests", "urllib3", "socket", "aiohttp",
    )  # fmt: skip


_OF_BUCKETS = ("aiobotocore", "aiohttp", "azure", "botocore", "gcsfs", "s3fs")


def _of_bucket(error: BaseException) -> str | None:
    if _package(error) not in _OF_BUCKETS:
        return None
    return (
        f"the bucket could not do it ({_first_line(error)}): what was there before is unchanged; check its address, "
        "login and network, and run again."
    )


def _of_database(error: BaseException) -> str | None:
    if _package(error) not in ("sqlite3", "sqlalchemy"):
        return None
    said = _first_line(error)
    todo = next((todo for words, todo in _OF_SQLITE.items() if words in said), None)
    if todo is None and type(error).__name__ not in _OUTSIDE_DATABASE:
        return None
    return f"MLflow's database {_tracking()}: {said}: {todo or 'check that it runs and takes connections'}."


_OUTSIDE_DATABASE = ("InterfaceError", "NoSuchModuleError", "OperationalError")


def _of_server(error: BaseException) -> str | None:
    package, said = _package(error), _first_line(error)
    if package in ("requests", "urllib3") or isinstance(error, ConnectionError):
        asked = getattr(getattr(error, "request", None), "url", None)
        server = _host(asked) if asked else f"MLflow at {_tracking()}"
        return f"{server} did not answer ({type(error).__name__}): {_UNCHANGED}"
    if package == "mlflow" and type(error).__name__ in ("MlflowException", "RestException"):
        return f"MLflow at {_tracking()} could not do it ({said}): {_UNCHANGED}"
    return None


def _host(address: str) -> str:
    """Scheme and host: what follows may be secret."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.hostname}"


_UNCHANGED = "what was recorded before stays as it is; run again once it answers."


_OUTSIDE_DUCKDB = (
    "ConversionException", "HTTPException", "InvalidInputException", "IOException", "OutOfMemoryException",
    "OutOfRangeException", "PermissionException", "SerializationException",
)  # fmt: skip


def _of_engine(error: BaseException) -> str | None:
    name, said = type(error).__name__, _first_line(error)
    if _package(error) in ("duckdb", "_duckdb"):
        outside = name in _OUTSIDE_DUCKDB
        return f"DuckDB could not go on ({said}): correct the file or folder and run again." if outside else None
    if _package(error) == "pyarrow" and name in ("ArrowInvalid", "ArrowIOError", "ArrowSerializationError"):
        return f"a file cannot be read or written ({said}): restore it and run again."
    if isinstance(error, ImportError) and "evergreen" not in (error.name or ""):
        return f"a package is missing ({said}): install the extra that brings it, see pyproject.toml."
    return None


def _of_configuration(error: BaseException) -> str | None:
    if _package(error) in _CONFIGURATION or isinstance(error, UnicodeDecodeError):
        return (
            f"the configuration cannot be read ({_all_lines(error)}): correct that file; `kedro check-conf` says more."
        )
    return None


# What Kedro says of a misspelt name, which it raises as a bare ValueError.
_IN_MEMORY = re.compile(r"Pipeline input\(s\) \{(.*)\} not found in the")
_MISSPELT = ("Failed to find the pipeline", "Pipeline does not contain", "Pipeline contains no nodes")
_OF_KEDRO = ("MissingConfigException", "ParameterValidationError", "BadConfigException", "DatasetNotFoundError",
             "CLIError", "KedroCliError")  # fmt: skip


def _of_kedro(error: BaseException) -> str | None:
    from kedro.framework.project import pipelines

    from evergreen.context import use_cases

    said = _all_lines(error)
    if isinstance(error, ValueError) and said.startswith(_MISSPELT):
        return f"{said}. Pipelines: {', '.join(sorted(pipelines))}; namespaces: {', '.join(use_cases())}."
    if isinstance(error, ValueError) and (lacking := _IN_MEMORY.match(said)):
        return (
            f"the chosen nodes need {lacking[1]}, which an earlier node hands over in memory: begin earlier "
            "(--from-nodes), or run the whole pipeline (--pipeline)."
        )
    if _package(error) != "kedro":
        return None
    if type(error).__name__ == "OutputNotUniqueError":
        return "two of the chosen pipelines write the same datasets, alerts for instance: run them one after the other."
    if type(error).__name__ in _OF_KEDRO:
        return f"{said}."
    if type(error).__name__ == "DatasetError" and error.__cause__ is None:
        return f"{said}."
    return None


def _all_lines(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".")


def _package(error: BaseException) -> str:
    return type(error).__module__.split(".")[0]


def _tracking() -> str:
    """Where MLflow is, as far as it may be shown."""
    from mlflow import get_tracking_uri

    from evergreen.registry.database import database_file

    uri = get_tracking_uri()
    return redact(str(database_file(uri) or uri))
