"""Every route but the hot one."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from evergreen.invocation import command
from evergreen.serving.answering import Answering, Scored
from evergreen.serving.answers import Batch
from evergreen.serving.by_key import Found
from evergreen.serving.metrics import stats, text
from evergreen.serving.openapi import document, page
from evergreen.serving.refusals import Refusal, refuse_more_rows
from evergreen.serving.served import Served
from evergreen.serving.state import STATUS_FILE, read_state
from evergreen.serving.tables import ARROW, PARQUET, Rows, from_columnar, from_inference, from_mlflow, json_of

_IN_A_THREAD = 100_000  # bytes
Read = tuple[list[msgspec.Struct], list[Found] | None]
"""Rows, and what they were asked by where by key."""


class Routes:
    """The service's other routes.

    Args:
        answering: What answers.
        folder: Where the service's processes share their state.
        dashboard: The page that reporting wrote last.
    """

    def __init__(self, answering: Answering, folder: Path, dashboard: Path | None) -> None:
        self.answering, self._folder, self._dashboard = answering, folder, dashboard
        self._limits = answering.settings.limits
        self.draining: Callable[[], bool] = lambda: False

    def app(self) -> Starlette:
        """All of them."""
        post, get = partial(Route, methods=["POST"]), partial(Route, methods=["GET"])
        model = "/v2/models/{model}"
        versioned = f"{model}/versions/{{version}}"
        routes = [
            post("/batch_predict", self.batch_predict),
            post("/invocations", self.invocations),
            *(post(f"{place}/infer", self.infer) for place in (model, versioned)),
            *(get(place, self.model_metadata) for place in (model, versioned)),
            *(get(f"{place}/ready", self.model_ready) for place in (model, versioned)),
            get("/v2", self.server_metadata),
            *(get(path, self.live) for path in ("/health", "/ping", "/v2/health/live")),
            *(get(path, self.ready) for path in ("/ready", "/v2/health/ready")),
            get("/version", self.version),
            get("/stats", self.stats),
            get("/metrics", self.metrics),
            get("/schema", self.schema),
            get("/openapi.json", self.openapi),
            get("/docs", self.docs),
            get("/dashboard", self.dashboard),
        ]
        app = Starlette(routes=routes)
        app.add_exception_handler(Refusal, _refused)
        for status, sentence in (
            (404, "There is no such route; GET /docs lists them."),
            (405, "Another method; GET /docs lists them."),
        ):
            app.add_exception_handler(status, partial(_plain, status, sentence))
        return app

    async def batch_predict(self, request: Request) -> Response:
        """Many rows as JSON, Arrow or parquet."""
        began, body, served = time.perf_counter(), await request.scope["read_body"](), self.answering.served
        kind = _kind(request)
        if kind in (ARROW, PARQUET):
            read: Callable[[], Any] = lambda: (served.convert(from_columnar(body, kind)), None)  # noqa: E731
        else:
            read = partial(self.answering.read_many, served, body)
        batch = await self._answer(served, read, began, len(body))
        return Response(msgspec.json.encode(batch), media_type="application/json")

    async def _answer(self, served: Served, read: Callable[[], Read], began: float, size: int) -> Batch:
        """Read, check and answer; large bodies in a thread, so that other clients don't wait."""
        number = self.answering.next_number()

        def work() -> Scored:
            rows, asked = read()
            refuse_more_rows(len(rows), self._limits.max_rows)
            return self.answering.score(served, rows, began, number, asked)

        scored = await run_in_threadpool(work) if size > _IN_A_THREAD else work()
        batch = self.answering.record(served, scored)
        if self.answering.log is not None:
            await self.answering.log.durable()
        return batch

    async def invocations(self, request: Request) -> Response:
        """MLflow's scoring protocol; answers both classes' probabilities, as the registered model does."""
        began, body, served = time.perf_counter(), await request.scope["read_body"](), self.answering.served
        kind = _kind(request)

        def read() -> Read:
            if kind in (ARROW, PARQUET):
                return served.convert(from_columnar(body, kind)), None
            rows = from_mlflow(body, kind, self._limits.max_depth, served.features, served.numeric)
            return served.convert(rows), None

        batch = await self._answer(served, read, began, len(body))
        return JSONResponse({"predictions": [[1 - p, p] for p in batch.probabilities]})

    async def infer(self, request: Request) -> Response:
        """The Open Inference Protocol."""
        began, served = time.perf_counter(), self._model(request)
        body = await request.scope["read_body"]()
        asked: list[str | None] = [None]

        def read() -> Read:
            rows: Rows
            rows, asked[0] = from_inference(json_of(body, self._limits.max_depth))
            return served.convert([_whole(row, served) for row in rows]), None

        batch = await self._answer(served, read, began, len(body))
        outputs = [
            _tensor("probability", "FP64", batch.probabilities),
            _tensor("prediction", "INT64", batch.predictions),
        ]
        head = {"model_name": served.use_case, "model_version": served.version}
        return JSONResponse({**head, "id": asked[0] or batch.request_ids[0], "outputs": outputs})

    def _model(self, request: Request) -> Served:
        served = self.answering.served
        model, version = request.path_params["model"], request.path_params.get("version", served.version)
        if (model, version) != (served.use_case, served.version):
            raise Refusal(404, f"Only {served.use_case} version {served.version} is served here.")
        return served

    async def model_metadata(self, request: Request) -> Response:
        """Inputs and outputs of the Open Inference Protocol."""
        served = self._model(request)
        inputs = [{"name": n, "datatype": "FP64", "shape": [-1]} for n in served.numeric]
        inputs += [{"name": n, "datatype": "BYTES", "shape": [-1]} for n in served.categorical]
        kinds = (("probability", "FP64"), ("prediction", "INT64"))
        outputs = [{"name": n, "datatype": kind, "shape": [-1]} for n, kind in kinds]
        head = {"name": served.use_case, "versions": [served.version], "platform": f"evergreen_{served.engine}"}
        return JSONResponse({**head, "inputs": inputs, "outputs": outputs})

    async def model_ready(self, request: Request) -> Response:
        """Whether this model answers."""
        served = self._model(request)
        ready = self.answering.ready is None
        return JSONResponse({"name": served.use_case, "ready": ready}, status_code=200 if ready else 503)

    async def server_metadata(self, _: Request) -> Response:
        """What the Open Inference Protocol asks of a server."""
        return JSONResponse({"name": "evergreen", "version": "2", "extensions": []})

    async def live(self, _: Request) -> Response:
        """Alive, with what serves and what was refused."""
        served = self.answering.served
        facts = {name: served.facts.get(name) for name in ("use_case", "version", "algorithm", "engine", "because")}
        known = {name: value for name, value in facts.items() if value is not None}
        return JSONResponse({"status": "ok", "live": True, **known, **self._status()})

    async def ready(self, _: Request) -> Response:
        """Whether requests should be sent here."""
        reason = "it is stopping" if self.draining() else self.answering.ready
        if reason:
            return JSONResponse({"status": "not ready", "ready": False, "because": reason}, status_code=503)
        return JSONResponse({"status": "ready", "ready": True, "version": self.answering.served.version})

    async def version(self, _: Request) -> Response:
        """The version that serves."""
        return Response(self.answering.served.version, media_type="text/plain")

    async def stats(self, _: Request) -> Response:
        """Counts and confidence, of all workers together."""
        return JSONResponse(stats(self._folder, self._status(), self.answering.served))

    async def metrics(self, _: Request) -> Response:
        """The same for Prometheus."""
        return Response(
            text(self._folder, self._status(), self.answering.served, self.answering.log_fault),
            media_type="text/plain; version=0.0.4; charset=utf-8",
        )

    async def schema(self, _: Request) -> Response:
        """Features by name, with their kinds."""
        return JSONResponse(schema_of(self.answering.served))

    async def openapi(self, _: Request) -> Response:
        """The OpenAPI document."""
        return JSONResponse(document(self.answering.served, self._limits, self.answering.by_key))

    async def docs(self, _: Request) -> Response:
        """The same for people."""
        return HTMLResponse(page(document(self.answering.served, self._limits, self.answering.by_key)))

    async def dashboard(self, _: Request) -> Response:
        """The page that reporting wrote last."""
        if self._dashboard is None or not self._dashboard.is_file():
            raise Refusal(404, f"No dashboard was written yet: run `{command('kedro run --pipeline=reporting')}`.")
        return HTMLResponse(self._dashboard.read_text(encoding="utf-8"))

    def _status(self) -> dict[str, Any]:
        """What the supervisor says; nothing where it has not said anything yet."""
        try:
            return read_state(self._folder / STATUS_FILE)
        except (OSError, ValueError):
            return {}


def schema_of(served: Served) -> dict[str, Any]:
    """The features that a request names."""
    numeric = [{"name": name, "kind": "numeric", "nullable": True} for name in served.numeric]
    categorical = [{"name": name, "kind": "categorical", "nullable": True} for name in served.categorical]
    keys = [{"name": name, "optional": True} for name in served.keys]
    head = {"use_case": served.use_case, "model_version": served.version, "threshold": served.threshold}
    return {**head, "features": [*numeric, *categorical], "keys": keys}


def _whole(row: dict[str, Any], served: Served) -> dict[str, Any]:
    """Whole numbers and truth values of a numeric tensor as the floats that they mean."""
    return {
        name: float(value) if isinstance(value, bool) and name in served.numeric else value
        for name, value in row.items()
    }


def _tensor(name: str, datatype: str, data: list[Any]) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": [len(data)], "data": data}


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "application/json").split(";")[0].strip().lower()


async def _plain(status: int, sentence: str, _: Request, fault: Exception) -> Response:
    return JSONResponse({"error": sentence}, status_code=status, headers=getattr(fault, "headers", None))


async def _refused(_: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    headers = {} if refusal.retry_after is None else {"retry-after": str(refusal.retry_after)}
    if refusal.status == 413:
        headers["connection"] = "close"
    return Response(refusal.body(), refusal.status, headers, "application/json")
