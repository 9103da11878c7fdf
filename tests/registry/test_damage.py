"""Claims about damaged registries and foreign files: reported, passed over or refused, never a reader's own error."""

from __future__ import annotations

import json
import logging
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path

import mlflow
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evergreen import registry
from evergreen.errors import EvergreenError
from evergreen.registry import artefacts
from evergreen.registry.references import METRICS_FILE
from versions import make_version

pytestmark = pytest.mark.usefixtures("mlflow_store")


@pytest.fixture
def use_case() -> str:
    return f"case-{uuid.uuid4().hex[:8]}"


MANIFEST, MODEL, SAMPLE = (
    f"{name} of a stored version is refused" for name in ("manifest.json", "model.skops", "reference_sample.parquet")
)


def replace(use_case: str, version: str, name: str, write: Callable[[Path], object]) -> None:
    """Write a version's file anew, its digest too, as somebody would who may write both."""
    file = registry.load(use_case, version).folder / name
    write(file)
    digest = artefacts.digests(file.parent)[name]
    mlflow.MlflowClient().set_model_version_tag(use_case, version, artefacts.DIGEST_TAG + name, digest)


@pytest.mark.parametrize(
    ("tag", "value"), [("algorithm", ""), ("test_roc_auc", "good"), ("test_roc_auc", "0.9.1"), ("status", "")]
)
def test_a_version_with_a_damaged_tag_is_listed_all_the_same(
    use_case: str, tmp_path: Path, tag: str, value: str
) -> None:
    version = make_version(use_case, tmp_path)
    mlflow.MlflowClient().set_model_version_tag(use_case, version, tag, value)
    assert [row.version for row in registry.list_versions(use_case)] == [version]


def test_a_damaged_tag_is_reported_once(use_case: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    version = make_version(use_case, tmp_path)
    mlflow.MlflowClient().delete_model_version_tag(use_case, version, "algorithm")
    with caplog.at_level(logging.WARNING, "evergreen.registry"):
        assert registry.list_versions(use_case)[0].algorithm == "unknown"
        registry.list_versions(use_case)
    assert caplog.messages == [f"{use_case} version 1: its tag algorithm cannot be read and is passed over."]


@pytest.mark.parametrize(
    "line", ["", "{", "[]", '{"when": "yesterday"}', "WITHOUT TIME ZONE"], ids=lambda line: line or "empty"
)
def test_an_audit_line_that_cannot_be_read_is_reported_and_passed_over(
    use_case: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, line: str
) -> None:
    first, second = make_version(use_case, tmp_path), make_version(use_case, tmp_path, "f2")
    registry.move_champion(use_case, first, None, "first")
    if line == "WITHOUT TIME ZONE":
        kept = registry.audit(use_case)[0].model_dump(mode="json")
        line = json.dumps({**kept, "when": "2026-01-01T00:00:00"})
    mlflow.MlflowClient().set_registered_model_tag(use_case, "audit.000009.damaged", line)
    registry.move_champion(use_case, second, first, "better")
    assert registry.rollback(use_case, "worse").to_version == first
    assert [change.to_version for change in registry.history(use_case)] == [first, second, first]
    assert [message for message in caplog.messages if "audit.000009.damaged" in message] == [
        f"{use_case}: the audit line audit.000009.damaged cannot be read and is passed over."
    ]


def manifest_with(**fields: object) -> Callable[[Path], object]:
    return lambda file: file.write_text(json.dumps({**json.loads(file.read_text()), **fields}))


def bomb(file: Path) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("schema.json", "w") as part:
        for _ in range(1100):
            part.write(b"0" * 1_000_000)


def endless_column(file: Path) -> None:
    ones = pa.DictionaryArray.from_arrays(pa.array([0] * 1_000_000, pa.int8()), pa.array(["x"]))
    table = pa.table({"a": ones})
    with pq.ParquetWriter(file, table.schema) as writer:
        for _ in range(150):
            writer.write_table(table)


@pytest.mark.parametrize(
    ("name", "write", "sentence"),
    [
        ("manifest.json", manifest_with(threshold="NaN"), MANIFEST),
        ("manifest.json", manifest_with(threshold=2), MANIFEST),
        ("manifest.json", manifest_with(library_versions={}), "is refused: it does not say which scikit-learn"),
        (
            "manifest.json",
            manifest_with(use_case="other"),
            "is refused: its manifest says that it was trained for oth",
        ),
        ("manifest.json", lambda file: file.write_text("[]"), MANIFEST),
        ("manifest.json", lambda file: file.write_bytes(b"\xff\xfe"), MANIFEST),
        (
            "model.skops",
            lambda file: file.write_bytes(b"PK\x03\x04 torn"),
            MODEL,
        ),
        ("model.skops", lambda file: file.write_text("{}"), MODEL),
        ("model.skops", bomb, f"{MODEL}: it declares 1,100,000,000 bytes"),
        (
            "reference_sample.parquet",
            endless_column,
            f"{SAMPLE}: it declares",
        ),
        ("reference_sample.parquet", lambda file: file.write_text("x"), SAMPLE),
        (
            "check_rows.parquet",
            lambda file: pd.DataFrame({"z": [1]}).to_parquet(file),
            "check_rows.parquet of a",
        ),
        ("MLmodel", lambda file: file.write_text("a: [1"), "MLmodel of a stored version is refused"),
    ],
)
def test_a_damaged_or_foreign_file_is_refused_in_a_sentence_and_blocks_no_other_version(
    use_case: str, tmp_path: Path, name: str, write: Callable[[Path], object], sentence: str
) -> None:
    whole, damaged = (make_version(use_case, tmp_path, mark, complete=True) for mark in ("f1", "f2"))
    registry.move_champion(use_case, damaged, None, "first")
    replace(use_case, damaged, name, write)
    with pytest.raises(EvergreenError, match=sentence):
        registry.check_version(use_case, damaged)
    assert registry.rollback(use_case, "damaged", whole).to_version == whole


@pytest.mark.parametrize("content", ["{", "[]", '{"test": {"roc_auc": 1}}', '{"train": {}}'])
def test_metrics_that_cannot_be_read_are_refused(use_case: str, tmp_path: Path, content: str) -> None:
    version = make_version(use_case, tmp_path, complete=True)
    replace(use_case, version, METRICS_FILE, lambda file: file.write_text(content))
    with pytest.raises(EvergreenError, match=r"reference_metrics.json of a stored version is refused"):
        registry.compare_versions(use_case, [version])
