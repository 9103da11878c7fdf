"""How was this process started, and which command continues where it is?"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

_SECRET = re.compile(r"//[^/@\s]+@")  # user and password in an address


@dataclass(frozen=True)
class Invocation:
    """What a command must repeat to meet the same configuration, data and registry in the same shell.

    Attributes:
        env: The environment, where one was named.
        conf_source: The folder of configuration, where it isn't the project's own.
        params: Parameters of the command line, by name; blocks are mappings.
        use_cases: The use cases that a run is narrowed to; none where it is about all.
    """

    env: str | None = None
    conf_source: str | None = None
    params: Mapping[str, Any] | None = None
    use_cases: tuple[str, ...] = ()

    def command(self, words: str, use_case: str | None = None) -> str:
        """The command as it is typed.

        Args:
            words: Without what this invocation adds: ``kedro run --pipeline=training``, ``kedro models list``.
            use_case: The use case that it is about; by default those that the run is narrowed to.
        """
        runs = words.startswith("kedro run")
        chosen = [use_case] if use_case else list(self.use_cases) if runs else []
        typed = words.split()
        if chosen and "--namespaces" not in words and "--use-case" not in words:
            typed += [f"--namespaces={','.join(chosen)}"] if runs else ["--use-case", *chosen]
        typed += [f"--env={self.env}"] if self.env else []
        typed += [f"--conf-source={self.conf_source}"] if self.conf_source else []
        if runs and self.params:
            typed.append("--params=" + ",".join(f"{name}={value}" for name, value in _flat(self.params)))
        return " ".join(_typed(word) for word in typed)


_present = Invocation()


def remember(invocation: Invocation) -> None:
    """Let commands continue where this invocation is, from now on in this process."""
    global _present
    _present = invocation


def narrow(use_cases: tuple[str, ...]) -> None:
    """Let commands be about these use cases alone; none: about all."""
    remember(replace(_present, use_cases=use_cases))


def command(words: str, use_case: str | None = None) -> str:
    """The command that continues where this process is; see :meth:`Invocation.command`."""
    return _present.command(words, use_case)


def _flat(block: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in block.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _SECRET.sub("//…@", str(value))


def _typed(word: str) -> str:
    """A word as a shell reads it; placeholders such as ``<use_case>`` are the reader's to fill."""
    return word if word.startswith("<") else shlex.quote(word)
