"""Requests that name keys in place of features, which are read from what feature engineering wrote for the day."""

from __future__ import annotations

import datetime as dt
import logging
import re
import time
import zoneinfo
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from evergreen.datasets.features_by_key.snapshot import Snapshot, UnknownKeyError
from evergreen.rows.canonical import canonical_text
from evergreen.serving.refusals import Refusal, refuse_more_rows, short
from evergreen.serving.served import KEY_TYPE, Served, refuse_repeated_names
from evergreen.serving.settings import ByKeySettings

_NAME, _NAMED = b'"entity"', re.compile(rb'"entity"\s*:')
RETRY_SECONDS = 60
logger = logging.getLogger("evergreen.serving")


class RowByKey(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A request by key: ``features`` names those that no key has, such as the row's own."""

    entity: dict[str, KEY_TYPE]
    date: str | None = None
    features: dict[str, str | int | float | bool | None] = {}


Asked = TypeVar("Asked")


class Found(msgspec.Struct, gc=False):
    """What was asked by key, as the log keeps it: keys as canonical texts, the day, and the newest day known then."""

    keys: dict[str, str | None]
    date: str
    known_until: str


class RowsByKey(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Many of them in one request."""

    data: list[RowByKey]


_decoder, _decoder_of_many = msgspec.json.Decoder(RowByKey), msgspec.json.Decoder(RowsByKey)


def names_keys(body: bytes, served: Served) -> bool:
    """Whether a request names keys in place of features."""
    return _NAME in body and "entity" not in served.fields and _NAMED.search(body) is not None


class ByKey:
    """Reads the features of keys from a file that is replaced now and then.

    Args:
        file: Where feature engineering writes it; need not be there.
        settings: How old it may be.
    """

    def __init__(self, file: Path, settings: ByKeySettings) -> None:
        self._file, self._settings = file, settings
        self._snapshot: Snapshot | None = None
        self._zone: dt.tzinfo = dt.UTC
        self._changed = -1
        self.follow()

    @property
    def snapshot(self) -> Snapshot | None:
        """The file as it is read now; None where there is none."""
        return self._snapshot

    def follow(self) -> None:
        """Open the file anew where it was replaced; one that cannot be read leaves the former one in use."""
        try:
            changed = self._file.stat().st_mtime_ns
        except OSError:
            changed, self._snapshot = -1, None
        if changed == self._changed:
            return
        self._changed = changed
        if changed < 0:
            return
        try:
            snapshot = Snapshot(self._file)
        except OSError as error:
            logger.warning("features by key are not renewed: %s.", error)
            return
        zone = snapshot.facts.time_zone
        self._zone = zoneinfo.ZoneInfo(zone) if zone else dt.UTC
        self._snapshot = snapshot

    def read(self, served: Served, body: bytes) -> tuple[msgspec.Struct, tuple[Any, ...], Found]:
        """The row of a request by key, its values, and what was asked.

        Raises:
            Refusal: Naming what is wrong; ``reason`` is ``no_snapshot``, ``stale_snapshot``, ``beyond_horizon``,
                ``before_snapshot`` or ``unknown_key`` where the request itself is in order.
        """
        asked = _decoded(_decoder, body, served)
        return self._row(served, self._fresh(), asked)

    def read_many(self, served: Served, body: bytes, most: int) -> tuple[list[msgspec.Struct], list[Found]]:
        """The rows of ``{"data": [...]}``, each by its keys, and what was asked.

        Raises:
            Refusal: As above, naming the first row that cannot be answered; where there are more than ``most``.
        """
        data, snapshot = _decoded(_decoder_of_many, body, served).data, self._fresh()
        refuse_more_rows(len(data), most)
        rows, found = [], []
        for number, asked in enumerate(data):
            try:
                row, _, what = self._row(served, snapshot, asked)
            except Refusal as refusal:
                raise refusal.at(f"data[{number}]") from None
            rows.append(row)
            found.append(what)
        return rows, found

    def _row(
        self, served: Served, snapshot: Snapshot, asked: RowByKey
    ) -> tuple[msgspec.Struct, tuple[Any, ...], Found]:
        day = self._day(asked, snapshot)
        texts = _texts(asked, snapshot, served)
        try:
            known = snapshot.read(texts, day)
        except UnknownKeyError as error:
            names = " and ".join(map(short, error.keys))
            raise Refusal(404, f"There is no such {names} on {day}.", reason="unknown_key") from None
        given = [name for name in asked.features if name in snapshot.features]
        if given:
            raise Refusal(422, f"{short(given[0])} is known by key: leave it out of features.")
        whole = {name: known[name] for name in served.features if name in known} | asked.features
        dates = {key: day for key in served.keys if key == served.facts["date"]}
        (row,) = served.convert([{**whole, **dates}])
        values = msgspec.structs.astuple(row)
        served.require_in_range(values)
        return row, values, Found(texts, day, snapshot.facts.known_until.isoformat())

    def _fresh(self) -> Snapshot:
        if self._snapshot is None:
            raise Refusal(
                503,
                "No features are kept by key: name the features, or set features.by_key_days and run "
                "feature_engineering.",
                retry_after=RETRY_SECONDS,
                reason="no_snapshot",
            )
        hours = (time.time() - self._snapshot.facts.made) / 3600
        most = self._settings.max_age_hours
        if most is not None and hours > most:
            raise Refusal(
                503,
                f"The features that are kept by key are {hours:.0f} hours old, more than {most:g}: run "
                "feature_engineering.",
                retry_after=RETRY_SECONDS,
                reason="stale_snapshot",
            )
        return self._snapshot

    def _day(self, asked: RowByKey, snapshot: Snapshot) -> str:
        try:
            day = dt.date.fromisoformat(asked.date) if asked.date else dt.datetime.now(self._zone).date()
        except ValueError:
            raise Refusal(422, "date is not a day: write it as yyyy-mm-dd.") from None
        text, days = day.isoformat(), snapshot.facts.days
        if text > days[-1]:
            raise Refusal(422, f"Features are kept until {days[-1]}: the day is beyond it.", reason="beyond_horizon")
        if text < days[0]:
            raise Refusal(422, f"Features are kept from {days[0]} on: the day is before.", reason="before_snapshot")
        return text


def _decoded(decoder: msgspec.json.Decoder[Asked], body: bytes, served: Served) -> Asked:
    try:
        asked = decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise served.refusal(error) from None
    refuse_repeated_names(body)
    return asked


def _texts(asked: RowByKey, snapshot: Snapshot, served: Served) -> dict[str, str | None]:
    given: Mapping[str, Any] = asked.entity
    for name in snapshot.keys:
        if name not in given:
            raise Refusal(422, f"{short(name)} is missing in entity: name it, with null where there is none.")
    for name in given:
        if name not in snapshot.keys:
            raise Refusal(422, f"{short(name)} is no key: entity takes {', '.join(snapshot.keys)}.")
    for name, key in given.items():
        if type(key) is float:
            served.require_whole(name, key)
    return {name: None if given[name] is None else canonical_text(given[name]) for name in snapshot.keys}
