"""Whatever a request holds, the service answers as its own document says, and never with a fault of its own."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from in_process import App, app_of
from small_service import USE_CASE

from evergreen.serving.loader import export
from evergreen.serving.served import Served

ROW = {"age": 41.0, "income": 1.5, "city": "A"}
LONG = "x" * 5000
SECRET = "5ecret-value"
JSON, CSV, ARROW, PARQUET = (
    "application/json", "text/csv", "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet",
)  # fmt: skip
Bad = tuple[str, str, Any, str]


@pytest.fixture(scope="module")
def app(versions, tmp_path_factory: pytest.TempPathFactory) -> App:
    folder = tmp_path_factory.mktemp("in-process")
    return app_of(Served(export(USE_CASE, versions.linear, folder / "exports")), folder, limits={"max_rows": 50})


def tensor(name: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "shape": [1], "datatype": "FP64", "data": [value], **more}


TENSORS = [tensor("age", 41.0), tensor("income", 1.5), {**tensor("city", "A"), "datatype": "BYTES"}]
INFER = f"/v2/models/{USE_CASE}/infer"
BAD: dict[str, Bad] = {
    "nothing": ("POST", "/predict", b"", JSON),
    "no json": ("POST", "/predict", b"{", JSON),
    "bytes": ("POST", "/predict", b"\xff\xfe\x00" * 200, JSON),
    "a null byte": ("POST", "/predict", b"\x00", JSON),
    "an array": ("POST", "/predict", [ROW], JSON),
    "a number": ("POST", "/predict", 7, JSON),
    "null": ("POST", "/predict", None, JSON),
    "text": ("POST", "/predict", SECRET, JSON),
    "deep": ("POST", "/predict", b"[" * 100_000, JSON),
    "deep objects": ("POST", "/predict", b'{"age":' * 50_000, JSON),
    "missing": ("POST", "/predict", {"age": 41.0, "income": 1.5}, JSON),
    "unknown": ("POST", "/predict", {**ROW, "height": 1}, JSON),
    "a long name": ("POST", "/predict", {**ROW, LONG: 1}, JSON),
    "a name of controls": ("POST", "/predict", {**ROW, "\x1b[31m\n": 1}, JSON),
    "text for a number": ("POST", "/predict", {**ROW, "age": SECRET}, JSON),
    "a boolean for a number": ("POST", "/predict", {**ROW, "age": True}, JSON),
    "a list for a number": ("POST", "/predict", {**ROW, "age": [1]}, JSON),
    "an object for a category": ("POST", "/predict", {**ROW, "city": {"a": SECRET}}, JSON),
    "NaN": ("POST", "/predict", b'{"age": NaN, "income": 1.5, "city": "A"}', JSON),
    "infinity": ("POST", "/predict", b'{"age": -Infinity, "income": 1.5, "city": "A"}', JSON),
    "1e999": ("POST", "/predict", b'{"age": 1e999, "income": 1.5, "city": "A"}', JSON),
    "out of range": ("POST", "/predict", {**ROW, "income": 1e39}, JSON),
    "twice": ("POST", "/predict", b'{"age": 1, "age": 2, "income": 1.5, "city": "A"}', JSON),
    "trailing": ("POST", "/predict", json.dumps(ROW).encode() + b"{}", JSON),
    "a key of a wrong type": ("POST", "/predict", {**ROW, "id": 1.5}, JSON),
    "a key that is rounded": ("POST", "/predict", {**ROW, "id": 2.0**53}, JSON),
    "a key of a batch": ("POST", "/batch_predict", {"data": [{**ROW, "id": 1.5}]}, JSON),
    "by key without keys": ("POST", "/predict", {"entity": {"id": 1}}, JSON),
    "another method": ("PUT", "/predict", ROW, JSON),
    "no such route": ("GET", "/../../etc/passwd", None, JSON),
    "a batch without data": ("POST", "/batch_predict", {}, JSON),
    "a batch of numbers": ("POST", "/batch_predict", {"data": [1, 2]}, JSON),
    "too many rows": ("POST", "/batch_predict", {"data": [ROW] * 51}, JSON),
    "a bad row among good": ("POST", "/batch_predict", {"data": [ROW, {**ROW, "age": SECRET}]}, JSON),
    "arrow that is none": ("POST", "/batch_predict", b"ARROW1" * 50, ARROW),
    "parquet that is none": ("POST", "/batch_predict", b"PAR1" + b"\0" * 200 + b"PAR1", PARQUET),
    "mlflow without a key": ("POST", "/invocations", {"rows": [ROW]}, JSON),
    "mlflow with two": ("POST", "/invocations", {"inputs": [ROW], "instances": [ROW]}, JSON),
    "a split of no fit": ("POST", "/invocations", {"dataframe_split": {"columns": ["age"], "data": [[1, 2]]}}, JSON),
    "csv without values": ("POST", "/invocations", b"age,income,city\n41.0\n", CSV),
    "csv in another code": ("POST", "/invocations", "age,income,city\n1,2,Ä\n".encode("utf-16"), CSV),
    "csv with text": ("POST", "/invocations", f"age,income,city\n{SECRET},2,A\n".encode(), CSV),
    "infer without inputs": ("POST", INFER, {}, JSON),
    "infer of other shapes": ("POST", INFER, {"inputs": [tensor("age", 1.0, shape=[2])]}, JSON),
    "infer without a size": ("POST", INFER, {"inputs": [tensor("age", 1.0, shape=[])]}, JSON),
    "infer of empty rows": ("POST", INFER, {"inputs": [tensor("age", [], shape=[1, 1])]}, JSON),
    "infer twice": ("POST", INFER, {"inputs": [*TENSORS, TENSORS[0]]}, JSON),
    "another model": ("POST", "/v2/models/other/infer", {"inputs": TENSORS}, JSON),
    "another version": ("POST", f"/v2/models/{USE_CASE}/versions/999/infer", {"inputs": TENSORS}, JSON),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_request_gets_a_short_refusal_without_its_values(app: App, name: str) -> None:
    method, path, content, kind = BAD[name]
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    found = [app.ask(method, path, body, kind), app.ask(method, path, body, kind, parts=3)]
    if (method, path) == ("POST", "/predict"):
        found.append(app.at_once(body))
    for status, answer in found:
        assert 400 <= status < 500
        assert len(answer) < 1000
        assert SECRET.encode() not in answer
        assert list(json.loads(answer)) == ["error"]


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def test_a_whole_key_is_one_key_however_it_is_written(app: App) -> None:
    bodies = [json.dumps({**ROW, "id": key}).encode() for key in (7, 7.0, "7", None)]
    assert {app.at_once(body)[0] for body in bodies} == {200}


def of_schema(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a property of the document allows."""
    if "anyOf" in schema:
        return st.one_of(*map(of_schema, schema["anyOf"]))
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    least, most = schema.get("minimum"), schema.get("maximum")
    known = {
        "null": st.none(),
        "string": st.text(max_size=20),
        "boolean": st.booleans(),
        "integer": st.integers(least, most) | st.integers(-(2**50), 2**50).map(float),
        "number": st.floats(least, most, allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53),
    }
    return st.one_of(*(known[kind] for kind in kinds))


def checked(app: App, path: str, body: Any) -> int:
    """Ask, and hold the answer against what the document says of its status."""
    document = app.json("/openapi.json")
    status, answer = app.ask("POST", path, json.dumps(body).encode())
    responses = document["paths"][path]["post"]["responses"]
    schema = responses[str(status)]["content"]["application/json"]["schema"]
    jsonschema.validate(json.loads(answer), {**schema, "components": document["components"]})
    return status


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_the_document_allows_is_answered_as_it_says(app: App, data: st.DataObject) -> None:
    row = app.json("/openapi.json")["components"]["schemas"]["Row"]
    needed = {name: of_schema(row["properties"][name]) for name in row["required"]}
    further = {name: of_schema(s) for name, s in row["properties"].items() if name not in needed}
    rows = st.fixed_dictionaries(needed, optional=further)
    assert checked(app, "/predict", data.draw(rows)) == 200
    assert checked(app, "/batch_predict", {"data": data.draw(st.lists(rows, max_size=3))}) == 200


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(["/predict", "/batch_predict"]), body=ANY)
def test_what_it_does_not_allow_is_refused_as_it_says(app: App, path: str, body: Any) -> None:
    assert checked(app, path, body) in (400, 422)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(["/predict", "/batch_predict", "/invocations", INFER]), body=st.binary(max_size=60))
def test_bytes_of_any_kind_are_no_fault(app: App, path: str, body: bytes) -> None:
    assert 400 <= app.ask("POST", path, body)[0] < 500
