"""A message as an e-mail: its text, its settings, and a server that may say only so much."""

from __future__ import annotations

import smtplib
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import BinaryIO

from evergreen.errors import EvergreenError
from evergreen.reporting.monitoring.messages import AlertMessage

MOST_BYTES = 1_000_000


class BoundedSMTP(smtplib.SMTP):
    """An SMTP connection whose server's answers are read up to a size."""

    def getreply(self) -> tuple[int, bytes]:
        """The server's next answer.

        Raises:
            SMTPServerDisconnected: Where it says more than anybody needs.
        """
        if self.file is None and self.sock is not None:
            self.file = _BoundedFile(self.sock.makefile("rb"))
        return super().getreply()


class _BoundedFile:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = MOST_BYTES

    def readline(self, limit: int = -1) -> bytes:
        line = self._file.readline(limit)
        self._left -= len(line)
        if self._left < 0:
            raise smtplib.SMTPServerDisconnected("it says too much")
        return line

    def close(self) -> None:
        self._file.close()


def refuse_mail_settings(
    channel: str, sender: str, recipients: Sequence[str], credentials: Mapping[str, str] | None
) -> None:
    """Refuse settings with which no mail could be sent, before anything is run.

    Raises:
        EvergreenError: Naming the setting; a password is never shown.
    """
    if not (sender and recipients):
        raise EvergreenError(f"{channel}: sender or recipients are missing; name both in the catalog entry.")
    for address in (sender, *recipients):
        if not isinstance(address, str) or not address.isascii() or not address.isprintable() or "@" not in address:
            raise EvergreenError(
                f"{channel}: {address!r} is no address: one line such as alerts@example.org is needed; correct sender "
                "or recipients in the catalog entry."
            )
    for name in ("username", "password") if credentials is not None else ():
        value = (credentials or {}).get(name)
        if not isinstance(value, str) or not value or not value.isascii():
            raise EvergreenError(
                f"{channel}: its {name} is {'missing' if not value else 'no text of ASCII characters'}; correct the "
                "entry in conf/local/credentials.yml (its content is a secret and therefore not shown)."
            )


def email_message(message: AlertMessage, sender: str, recipients: Sequence[str]) -> EmailMessage:
    """The message as plain text."""
    email = EmailMessage()
    email["From"] = sender
    email["To"] = ", ".join(recipients)
    email["Subject"] = " ".join(f"[{message.severity}] {message.title}".split())
    email["Date"] = formatdate()
    email["Message-ID"] = make_msgid(domain="evergreen")
    facts = f"Use case {message.use_case}, version {message.version}, as of {message.as_of}."
    email.set_content("\n".join([*message.lines, "", facts, *([message.link] if message.link else [])]) + "\n")
    return email
