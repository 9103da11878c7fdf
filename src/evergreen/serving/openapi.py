"""The OpenAPI document of a version's service, and the same as a page."""

from __future__ import annotations

import html
import json
from typing import Any

from evergreen.datasets.features_by_key.snapshot import Snapshot
from evergreen.serving.by_key import ByKey
from evergreen.serving.served import Served
from evergreen.serving.settings import LimitSettings

_CATEGORY = {"type": ["string", "number", "boolean", "null"]}
_NUMBER = {"type": ["number", "null"], "minimum": -3.4e38, "maximum": 3.4e38}
_KEY = {"anyOf": [{"type": ["string", "null"]}, {"type": "integer", "minimum": -(2**63), "maximum": 2**64 - 1}]}


def document(served: Served, limits: LimitSettings, by_key: ByKey | None = None) -> dict[str, Any]:
    """The OpenAPI 3.1 document; ``by_key`` is what requests by key are answered from."""
    row = {
        "type": "object",
        "additionalProperties": False,
        "required": served.features,
        "properties": {
            **dict.fromkeys(served.numeric, _NUMBER),
            **dict.fromkeys(served.categorical, _CATEGORY),
            **dict.fromkeys(served.keys, _KEY),
        },
    }
    error = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
    rows = {"type": "array", "items": {"$ref": "#/components/schemas/Row"}, "maxItems": limits.max_rows}
    batch = {"type": "object", "additionalProperties": False, "required": ["data"], "properties": {"data": rows}}
    schemas = {"Row": row, "Batch": batch, "Answer": _ANSWER, "Answers": _ANSWERS, "Error": error}
    snapshot = by_key.snapshot if by_key is not None else None
    or_keys = "OrKeys" if snapshot else ""
    if snapshot is not None:
        keyed = {**batch, "properties": {"data": {**rows, "items": {"$ref": "#/components/schemas/RowByKey"}}}}
        schemas |= {"RowByKey": _row_by_key(served, snapshot), "BatchByKey": keyed}
        schemas |= {f"{name}OrKeys": _either(name, f"{name}ByKey") for name in ("Row", "Batch")}
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{served.use_case} (Evergreen)", "version": served.version},
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "x-api-key"}},
        },
        "paths": {
            "/predict": {"post": _operation("One prediction", f"Row{or_keys}", "Answer")},
            "/batch_predict": {"post": _operation("Many predictions", f"Batch{or_keys}", "Answers")},
            **{path: {"get": _look(summary, kind)} for path, (summary, kind) in _LOOKS.items()},
        },
    }


def _either(*names: str) -> dict[str, Any]:
    return {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in names]}


def _row_by_key(served: Served, snapshot: Snapshot) -> dict[str, Any]:
    """A request that names keys, and the features that no key has."""
    own = [name for name in served.features if name not in snapshot.features]
    kinds = {**dict.fromkeys(served.numeric, _NUMBER), **dict.fromkeys(served.categorical, _CATEGORY)}
    features = {"type": "object", "required": own, "properties": {name: kinds[name] for name in own}}
    entity = {"type": "object", "required": list(snapshot.keys), "properties": dict.fromkeys(snapshot.keys, _KEY)}
    strict = {"additionalProperties": False}
    return {
        "type": "object",
        "required": ["entity", *(["features"] if own else [])],
        "properties": {
            "entity": entity | strict,
            "date": {"type": ["string", "null"], "enum": [*snapshot.facts.days, None]},
            "features": features | strict,
        },
        **strict,
    }


def page(found: dict[str, Any]) -> str:
    """The document as a page without scripts."""
    parts = []
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            parts.append(f"<tr><td><code>{method.upper()} {path}</code></td><td>{operation['summary']}</td></tr>")
    row = html.escape(json.dumps(found["components"]["schemas"]["Row"]["properties"], indent=1))
    title = html.escape(found["info"]["title"])
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width"><style>body{font:16px system-ui;margin:2rem auto;'
        "max-width:60rem;padding:0 1rem;color-scheme:light dark}td{padding:.2rem 1rem .2rem 0}pre{overflow:auto}"
        "</style>"
        f"</head><body><h1>{title}, version {html.escape(found['info']['version'])}</h1><table>{''.join(parts)}</table>"
        f'<h2>A row</h2><pre>{row}</pre><p><a href="openapi.json">OpenAPI document</a></p></body></html>'
    )


def _schema(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _operation(summary: str, request: str, response: str) -> dict[str, Any]:
    refused = {
        code: {"description": why, "content": _schema("Error")}
        for code, why in (
            ("400", "Not JSON, or nested too deeply"),
            ("401", "No valid key"),
            ("404", "There is no such key, or no such route"),
            ("413", "Too large"),
            ("422", "A field is unknown, missing, named twice, of the wrong type or out of range"),
            ("429", "Too many requests"),
            ("503", "The prediction log takes no more"),
        )
    }
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": _schema(request)},
        "responses": {"200": {"description": "Answered", "content": _schema(response)}, **refused},
    }


def _look(summary: str, kind: str) -> dict[str, Any]:
    refused = {"401": {"description": "No valid key", "content": _schema("Error")}}
    missing = {"404": {"description": "Not there yet", "content": _schema("Error")}} if summary == "Dashboard" else {}
    return {
        "summary": summary,
        "responses": {"200": {"description": summary, "content": {kind: {}}}, **refused, **missing},
    }


_LOOKS = {
    "/health": ("Alive, and what serves", "application/json"),
    "/ready": ("Whether requests should be sent here", "application/json"),
    "/stats": ("Counts and confidence", "application/json"),
    "/schema": ("Features by name", "application/json"),
    "/metrics": ("The same for Prometheus", "text/plain"),
    "/dashboard": ("Dashboard", "text/html"),
}
_PROBABILITY = {"type": "number", "minimum": 0, "maximum": 1}
_ANSWER = {
    "type": "object",
    "required": ["prediction", "probability", "confidence", "threshold", "model_version", "variant", "request_id"],
    "properties": {
        "prediction": {"enum": [0, 1]},
        "probability": _PROBABILITY,
        "confidence": {**_PROBABILITY, "minimum": 0.5},
        "threshold": _PROBABILITY,
        "model_version": {"type": "string"},
        "variant": {"type": "string"},
        "request_id": {"type": "string"},
        "timestamp": {"type": "string", "format": "date-time"},
        "known_until": {"type": "string", "format": "date"},
    },
}
_ANSWERS = {
    "type": "object",
    "required": ["predictions", "probabilities", "count", "model_version", "request_ids"],
    "properties": {
        "predictions": {"type": "array", "items": {"enum": [0, 1]}},
        "probabilities": {"type": "array", "items": _PROBABILITY},
        "count": {"type": "integer", "minimum": 0},
        "model_version": {"type": "string"},
        "request_ids": {"type": "array", "items": {"type": "string"}},
        "known_until": {"type": "string", "format": "date"},
    },
}
