"""Alert channels as datasets: to save messages is to send them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from time import monotonic
from typing import Any

from kedro.io import AbstractDataset, CatalogProtocol

from evergreen.datasets.alerts.delivery import deliver
from evergreen.errors import EvergreenError
from evergreen.monitoring.parameters import SEVERITIES, Severity
from evergreen.reporting.monitoring.messages import AlertMessage

CHANNELS = ("webhook", "mail", "channels")
"""Catalog entries of a use case that send what they are given, in this order."""


def send_alerts(catalog: CatalogProtocol, use_case: str, messages: Sequence[AlertMessage]) -> None:
    """Send messages through every channel of a use case, outside of a pipeline."""
    for name in CHANNELS:
        catalog.save(f"{use_case}.{name}", messages)


class AlertChannel(AbstractDataset[Sequence[AlertMessage], None]):
    """What every alert channel is: it sends the messages that are severe enough, one after the other.

    A channel of one's own says in :meth:`is_set` whether it has a receiver, and sends one message in :meth:`send`.

    Args:
        name: How the channel is called in messages; holds no secret.
        min_severity: Smallest severity that is sent.
        attempts: Most attempts at each message.
        backoff_seconds: Wait before the second attempt; doubles with every further one.
        timeout_seconds: How long one attempt may take, from the first byte to the last.
        deadline_seconds: How long all attempts at all messages of a run may take; what is left is not sent.
        metadata: Kedro-Viz and documentation; not read here.
    """

    def __init__(
        self,
        name: str,
        *,
        min_severity: Severity = "high",
        attempts: int = 4,
        backoff_seconds: float = 1.0,
        timeout_seconds: float = 10.0,
        deadline_seconds: float = 60.0,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        if min_severity not in SEVERITIES:
            raise EvergreenError(
                f"{name}: min_severity is {min_severity}, allowed: {', '.join(SEVERITIES)}; correct the catalog entry."
            )
        self._name = name
        self._min_severity = min_severity
        self._attempts = attempts
        self._backoff_seconds = backoff_seconds
        self._timeout_seconds = timeout_seconds
        self._socket_seconds = 2 * timeout_seconds  # when an attempt that was given up lets its connection go
        self._deadline_seconds = deadline_seconds
        self.metadata = metadata

    def load(self) -> None:
        """Refused: what was sent is not kept.

        Raises:
            EvergreenError: Always.
        """
        raise EvergreenError(
            f"{self._name} is an alert channel, which can be saved to and not loaded; read monitoring.json instead."
        )

    def save(self, data: Sequence[AlertMessage]) -> None:
        """Send the messages; a channel that is unset sends nothing, one that is down logs a warning."""
        if not self.is_set():
            return
        least = SEVERITIES.index(self._min_severity)
        until = monotonic() + self._deadline_seconds
        for message in data:
            if SEVERITIES.index(message.severity) >= least:
                deliver(
                    partial(self.send, message),
                    self._name,
                    attempts=self._attempts,
                    backoff_seconds=self._backoff_seconds,
                    timeout_seconds=self._timeout_seconds,
                    until=until,
                )

    @abstractmethod
    def is_set(self) -> bool:
        """Whether the catalog names a receiver."""

    @abstractmethod
    def send(self, message: AlertMessage) -> None:
        """Send one message, once.

        Raises:
            DeliveryError: Where it was not taken; the words hold no secret, ``lasting`` says that trying again is vain.
        """

    def _exists(self) -> bool:
        return False

    def _describe(self) -> dict[str, Any]:
        return {"channel": self._name, "min_severity": self._min_severity}


class AlertChannelsDataset(AbstractDataset[Sequence[AlertMessage], None]):
    """Any number of channels of any kind under one catalog entry; one that is down keeps no other from sending.

    Args:
        channels: Name → a channel as a catalog entry describes it: ``{type: …, min_severity: …}``.
        metadata: Kedro-Viz and documentation; not read here.

    Raises:
        EvergreenError: Where a channel is of a type that is none.
    """

    def __init__(self, channels: Mapping[str, dict[str, Any]], metadata: dict[str, Any] | None = None) -> None:
        self._channels = {name: _channel(name, dict(described)) for name, described in channels.items()}
        self.metadata = metadata

    def load(self) -> None:
        """Refused: what was sent is not kept.

        Raises:
            EvergreenError: Always.
        """
        raise EvergreenError("alert channels can be saved to and not loaded; read monitoring.json instead.")

    def save(self, data: Sequence[AlertMessage]) -> None:
        """Send the messages through every channel."""
        for channel in self._channels.values():
            channel.save(data)

    def _exists(self) -> bool:
        return False

    def _describe(self) -> dict[str, Any]:
        return {name: channel._describe() for name, channel in self._channels.items()}


def _channel(name: str, described: dict[str, Any]) -> AlertChannel:
    made = AbstractDataset.from_config(name, described)
    if not isinstance(made, AlertChannel):
        raise EvergreenError(
            f"channel {name}: {described['type']} is no alert channel; name a subclass of "
            "evergreen.datasets.AlertChannel, such as evergreen.datasets.WebhookDataset."
        )
    return made
