"""A path is a name: none of its characters is a template of configuration or a pattern of files.

What it names lies on this machine, or in a bucket, whose paths answer to the same methods.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from glob import escape
from pathlib import Path
from typing import Any, cast

from evergreen.errors import EvergreenError
from evergreen.redaction import redact

# What configuration reads as a template, and the character of no language's that stands for it meanwhile.
_TEMPLATE = str.maketrans({"$": "\ue024", "{": "\ue07b", "}": "\ue07d"})
_BACK = {to: chr(code) for code, to in _TEMPLATE.items()}
_LOCAL = "file"
_OF_OPEN = ("open_args_load", "open_args_save")


def sealed(path: str) -> str:
    """A path as it may stand in configuration, where nothing in it is taken for a template."""
    return path.translate(_TEMPLATE)


def plain(path: str) -> str:
    """The path that :func:`sealed` was given; any other stays as it is."""
    return "".join(_BACK.get(each, each) for each in path)


def literal(path: str) -> str:
    """A path for readers that take ``*``, ``?`` and ``[`` for patterns."""
    return escape(path)


def scheme(path: str) -> str:
    """What kind of place a path names: ``s3``, ``gs``, ``az``, …; ``file`` for this machine."""
    found, separated, _ = path.partition("://")
    return found if separated else _LOCAL


def is_remote(path: object) -> bool:
    """Whether it lies elsewhere than in a folder of this machine."""
    return scheme(str(path)) != _LOCAL


def place(path: str, credentials: Mapping[str, Any] | None = None, fs_args: Mapping[str, Any] | None = None) -> Path:
    """What a path of configuration names, on this machine or in a bucket.

    Args:
        path: A path, or a URL of a kind that fsspec knows, such as ``s3://bucket/folder``.
        credentials: What the bucket's file system takes to log in; default: what its provider's own variables say.
        fs_args: What else it takes (``endpoint_url``, ``project``, …).

    Returns:
        A path; one in a bucket has the same methods.

    Raises:
        EvergreenError: Where its scheme is unknown or its package is missing.
    """
    named = plain(str(path))
    if not is_remote(named):
        return Path(named.removeprefix(f"{_LOCAL}://"))
    require_readable(named, "the address")
    from upath import UPath

    options = {name: value for name, value in (fs_args or {}).items() if name not in _OF_OPEN}
    return cast(Path, UPath(named.rstrip("/"), **{"use_listings_cache": False, **options, **(credentials or {})}))


def storage_options(where: Path) -> dict[str, Any] | None:
    """What readers of URLs need to open what lies in a bucket; None on this machine."""
    return dict(cast(Any, where).storage_options) if is_remote(where) else None


def remove_folder(where: Path) -> None:
    """Delete a folder with all that it holds, on this machine or in a bucket."""
    if is_remote(where):
        remote = cast(Any, where)
        remote.fs.rm(remote.path, recursive=True)
    else:
        shutil.rmtree(where)


def require_readable(path: str, what: str) -> None:
    """Refuse a URL that nothing installed here reads.

    Args:
        path: A path or URL.
        what: What it is the address of, to begin the sentence with.

    Raises:
        EvergreenError: Where its scheme is unknown or its package is missing.
    """
    import fsspec

    try:
        fsspec.get_filesystem_class(scheme(path))
        if is_remote(path):
            import upath  # noqa: F401
    except ValueError as error:
        raise EvergreenError(
            f"{what} {redact(path)} begins with {scheme(path)}://, which is no known place: allowed are a folder, "
            "s3://, gs:// and az://."
        ) from error
    except ImportError as error:
        raise EvergreenError(
            f"{what} {redact(path)} needs a package that is not installed ({error}): install the extra `s3` (`cloud` "
            'for gs:// and az://), `.venv/bin/pip install -c constraints.txt -e ".[s3]"`.'
        ) from error


def own_data() -> Path:
    """The folder of data of the checkout, or the one beside a wheel's caller."""
    checkout = Path(__file__).resolve().parents[2]
    own = checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()
    return own / "data"


def local_folder(data: str) -> str:
    """What belongs to this machine: the data's folder; of a bucket ``EVERGREEN_LOCAL``, or the checkout's ``data``."""
    if not is_remote(plain(data)):
        return data
    return sealed(str(Path(os.environ.get("EVERGREEN_LOCAL") or own_data()).resolve()))
