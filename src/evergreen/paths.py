"""A path is a name: none of its characters is a template of configuration or a pattern of files."""

from __future__ import annotations

from glob import escape

# What configuration reads as a template, and the character of no language's that stands for it meanwhile.
_TEMPLATE = str.maketrans({"$": "\ue024", "{": "\ue07b", "}": "\ue07d"})
_BACK = {to: chr(code) for code, to in _TEMPLATE.items()}


def sealed(path: str) -> str:
    """A path as it may stand in configuration, where nothing in it is taken for a template."""
    return path.translate(_TEMPLATE)


def plain(path: str) -> str:
    """The path that :func:`sealed` was given; any other stays as it is."""
    return "".join(_BACK.get(each, each) for each in path)


def literal(path: str) -> str:
    """A path for readers that take ``*``, ``?`` and ``[`` for patterns."""
    return escape(path)
