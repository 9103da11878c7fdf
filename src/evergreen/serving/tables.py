"""Many rows of a request, in whatever format they came: as plain dictionaries, checked later."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

from evergreen.serving.refusals import Refusal, short

Rows = list[dict[str, Any]]
ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"


def json_of(body: bytes, max_depth: int) -> Any:
    """A JSON body, its nesting measured before it is parsed.

    Raises:
        Refusal: Where it is no JSON, too deep, or names a field twice.
    """
    from evergreen.serving.served import refuse_repeated_names

    refuse_depth(body, max_depth)
    refuse_repeated_names(body)
    try:
        return json.loads(body, parse_constant=_no_constant)
    except ValueError:
        raise Refusal(400, "The body is not valid JSON.") from None


def _no_constant(name: str) -> float:
    raise Refusal(422, f"{name} is not a value: use null where a value is not known.")


def refuse_depth(body: bytes, max_depth: int) -> None:
    """Refuse a JSON body that nests deeper than allowed; brackets inside of text count, too, where there are many.

    Raises:
        Refusal: 400.
    """
    if body.count(b"[") + body.count(b"{") <= max_depth:
        return
    depth, inside, escaped = 0, False, False
    for byte in body.translate(None, _OTHERS):
        if escaped:
            escaped = False
        elif byte == 0x5C:
            escaped = inside
        elif byte == 0x22:
            inside = not inside
        elif not inside:
            depth += 1 if byte in b"[{" else -1
            if depth > max_depth:
                raise Refusal(400, f"The body nests deeper than {max_depth} levels.")


_OTHERS = bytes(b for b in range(256) if b not in b'[]{}"\\')


def from_columnar(body: bytes, kind: str) -> Rows:
    """Rows of an Arrow stream or a parquet file.

    Raises:
        Refusal: Where it cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pa.ipc.open_stream(body).read_all() if kind == ARROW else pq.read_table(pa.BufferReader(body))
        return list(table.to_pylist())
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        raise Refusal(400, f"The body is not what {kind} says.") from None


def from_mlflow(body: bytes, kind: str, max_depth: int, features: list[str], numeric: list[str]) -> Rows:
    """Rows of MLflow's scoring protocol: ``dataframe_split``, ``dataframe_records``, ``instances``, ``inputs``, CSV.

    Raises:
        Refusal: Naming what is wrong.
    """
    if kind == "text/csv":
        return _from_csv(body, numeric)
    found = json_of(body, max_depth)
    given = [name for name in READERS if isinstance(found, dict) and name in found]
    if len(given) != 1:
        raise Refusal(400, f"The body is an object with one of {', '.join(READERS)}.")
    try:
        rows = READERS[given[0]](found[given[0]], features)
    except (TypeError, LookupError, ValueError, AttributeError):
        raise Refusal(422, f"{given[0]} does not have the shape that MLflow's scoring protocol gives it.") from None
    if not all(isinstance(row, dict) for row in rows):
        raise Refusal(422, f"{given[0]} does not hold rows with their features by name.")
    return rows


def _split(found: Any, _: list[str]) -> Rows:
    return [dict(zip(found["columns"], row, strict=True)) for row in found["data"]]


def _records(found: Any, _: list[str]) -> Rows:
    return list(found)


def _instances(found: Any, features: list[str]) -> Rows:
    return [dict(zip(features, row, strict=True)) if isinstance(row, list) else row for row in found]


def _inputs(found: Any, features: list[str]) -> Rows:
    if not isinstance(found, dict):
        return _instances(found, features)
    columns = [value if isinstance(value, list) else [value] for value in found.values()]
    flat = [[v[0] if isinstance(v, list) and len(v) == 1 else v for v in column] for column in columns]
    return [dict(zip(found, row, strict=True)) for row in zip(*flat, strict=True)]


READERS: dict[str, Callable[[Any, list[str]], Rows]] = {
    "dataframe_split": _split,
    "dataframe_records": _records,
    "instances": _instances,
    "inputs": _inputs,
}


def _from_csv(body: bytes, numeric: list[str]) -> Rows:
    try:
        rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error):
        raise Refusal(400, "The body is not CSV in UTF-8.") from None
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise Refusal(400, f"Line {number} does not have as many values as the header.")
        for name, text in row.items():
            row[name] = _number(name, text) if name in numeric else (text or None)
    return [dict(row) for row in rows]


def _number(name: str, text: str) -> Any:
    try:
        return float(text) if text.strip() else None
    except ValueError:
        raise Refusal(422, f"{short(name)} is of the wrong type: a number or nothing is allowed.") from None


def from_inference(found: Any) -> tuple[Rows, str | None]:
    """Rows and request id of the Open Inference Protocol: one input tensor a feature, of shape [n] or [n, 1].

    Raises:
        Refusal: Naming what is wrong.
    """
    try:
        columns = {str(tensor["name"]): _flat(tensor) for tensor in found["inputs"]}
        sizes = {len(column) for column in columns.values()}
        request_id = found.get("id")
    except (TypeError, LookupError, AttributeError, ValueError):
        raise Refusal(422, "inputs is a list of tensors with name, shape, datatype and data.") from None
    if len(sizes) != 1 or len(columns) != len(found["inputs"]):
        raise Refusal(422, "Every input is one feature, each once, all with the same number of rows.")
    names = list(columns)
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return rows, request_id if isinstance(request_id, str) else None


def _flat(tensor: dict[str, Any]) -> list[Any]:
    data = tensor["data"]
    shape = tensor["shape"]
    if len(shape) > 2 or (len(shape) == 2 and shape[1] != 1):
        raise ValueError
    flat = [value[0] if isinstance(value, list) else value for value in data]
    if len(flat) != shape[0]:
        raise ValueError
    return flat
