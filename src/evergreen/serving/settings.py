"""What rules the service: ``conf/<env>/serving.yml``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from evergreen.records import Frozen

Auth = Literal["auto", "required", "off"]


class LimitSettings(Frozen):
    """What a request may cost.

    Attributes:
        max_body_bytes: Largest body that is read.
        max_rows: Most rows of one request.
        max_depth: Deepest nesting of a JSON body.
        requests_per_second: Requests that one worker answers a second, in the mean; None: any number.
        burst: Requests that may come at once before that counts.
        max_concurrent: Requests that one worker has open at a time; None: any number.
    """

    max_body_bytes: int = Field(default=128 << 20, ge=1024)
    max_rows: int = Field(default=100_000, ge=1)
    max_depth: int = Field(default=16, ge=4, le=100)
    requests_per_second: float | None = Field(default=None, gt=0)
    burst: int = Field(default=100, ge=1)
    max_concurrent: int | None = Field(default=None, ge=1)


class LogSettings(Frozen):
    """How answers are logged.

    Attributes:
        enabled: Whether they are.
        fsync: ``group``: answers wait for the disk, many at a time; ``off``: they survive a killed process only.
        rotate_seconds: Age from which a segment can be collected.
        rotate_mb: Size from which it can.
        when_full: ``stop``: what cannot be logged is not answered; ``unlogged``: it is.
        collect_minutes: How often the supervisor collects the log into ``service_predictions``; None: never.
    """

    enabled: bool = True
    fsync: Literal["off", "group"] = "off"
    rotate_seconds: float = Field(default=60.0, gt=0)
    rotate_mb: int = Field(default=64, ge=1)
    when_full: Literal["stop", "unlogged"] = "stop"
    collect_minutes: float | None = Field(default=10.0, gt=0)


class LiveDriftSettings(Frozen):
    """How live traffic is held against the version's reference profile.

    Attributes:
        enabled: Whether it is.
        every_seconds: How often the supervisor looks.
        window_minutes: How much traffic it looks at.
        min_rows: Fewer rows are not judged.
        false_alarms_per_month: How many alarms may come of a month in which nothing changed.
        min_effect: Smallest shift worth an alarm, in standard deviations of an equal Gaussian shift.
    """

    enabled: bool = True
    every_seconds: float = Field(default=60.0, gt=0)
    window_minutes: int = Field(default=60, ge=1, le=1440)
    min_rows: int = Field(default=500, ge=20)
    false_alarms_per_month: float = Field(default=0.05, gt=0, le=1)
    min_effect: float = Field(default=0.2, gt=0)


class ByKeySettings(Frozen):
    """How requests that name keys in place of features are answered.

    Attributes:
        max_age_hours: Age of ``serving_features`` from which they are stale, and nobody is answered by them; None: any.
    """

    max_age_hours: float | None = Field(default=48.0, gt=0)


class RoutingSettings(Frozen):
    """Which version answers whom, while an experiment is active; the use case's running experiment fills it in.

    Attributes:
        experiment: Name of the experiment; None: everyone gets the champion.
        salt: Deals the units anew.
        unit: Who meets a variant: the ``entity`` (a request that names none stands for itself), or each ``request``.
        control: Name of the champion's side, which the dealing goes by.
        treatment: Name of the other side.
        challenger: The version on it: an alias or a number.
        challenger_share: Share of units that the challenger answers; in shadow mode it answers none.
        shadow: The challenger scores each request and is logged; the champion answers.
    """

    experiment: str | None = None
    salt: str = ""
    unit: Literal["entity", "request"] = "entity"
    control: str = "champion"
    treatment: str = "challenger"
    challenger: str = "challenger"
    challenger_share: float = Field(default=0.0, ge=0, le=1)
    shadow: bool = False


class ServingSettings(Frozen):
    """The whole of it.

    Attributes:
        host: Address to listen on.
        port: Port to listen on; 0: any free one.
        unix_socket: Path of a socket to listen on instead.
        workers: Processes that answer.
        version: A version to serve whatever the alias says; None: the champion.
        watch_seconds: How often the alias is looked up, give or take a fifth.
        drain_seconds: How long a worker that was told to stop waits for its clients.
        auth: ``auto``: keys are required unless only this machine can connect; ``required``; ``off``.
        key_header: The header that holds a key.
        keys_file: File with one key, or ``sha256:`` and its digest, a line; read again when it changes. Keys of the
            environment variable ``EVERGREEN_API_KEYS`` (by commas) count as well.
        certificate: TLS certificate file.
        certificate_key: Its key file.
        limits: What a request may cost.
        log: How answers are logged.
        drift: How live traffic is watched.
        by_key: How requests by key are answered.
        routing: Who is answered by the challenger.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    unix_socket: str | None = None
    workers: int = Field(default=2, ge=1, le=256)
    version: str | None = None
    watch_seconds: float = Field(default=1.0, gt=0)
    drain_seconds: float = Field(default=10.0, gt=0)
    auth: Auth = "auto"
    key_header: str = "x-api-key"
    keys_file: str | None = None
    certificate: str | None = None
    certificate_key: str | None = None
    limits: LimitSettings = LimitSettings()
    log: LogSettings = LogSettings()
    drift: LiveDriftSettings = LiveDriftSettings()
    by_key: ByKeySettings = ByKeySettings()
    routing: RoutingSettings = RoutingSettings()

    @model_validator(mode="after")
    def _certificate_and_key_go_together(self) -> ServingSettings:
        if bool(self.certificate) != bool(self.certificate_key):
            raise ValueError("certificate and certificate_key go together: give both or neither")
        return self

    @property
    def needs_key(self) -> bool:
        """Whether a request must bring a key."""
        local = self.unix_socket is not None or self.host in ("127.0.0.1", "::1", "localhost")
        return self.auth == "required" or (self.auth == "auto" and not local)
