"""Claims about what people read of the version that serves, versions of the former layout among them."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from kedro.io import DataCatalog
from mlflow import MlflowClient

from evergreen import registry
from evergreen.errors import EvergreenError
from evergreen.registry.check import CHECK_FILE
from evergreen.registry.versions import FIGURES
from evergreen.renewal import renew
from evergreen.reporting.serving import with_banner, with_gauge, with_line
from versions import make_version

pytestmark = pytest.mark.usefixtures("mlflow_store")
FORMER = Path(__file__).parent / "former_version"


@pytest.fixture
def use_case() -> str:
    return f"case-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def former() -> str:
    """A version that an earlier release stored: its figures among its files, no evaluation record."""
    client, use_case = MlflowClient(), "churn"
    if not client.search_registered_models(f"name = '{use_case}'"):
        client.create_registered_model(use_case)
    with mlflow.start_run() as run:
        client.log_artifacts(run.info.run_id, str(FORMER / "version"), "version")
    tags = json.loads((FORMER / "tags.json").read_text())
    made = client.create_model_version(use_case, f"{run.info.artifact_uri}/version", run_id=run.info.run_id, tags=tags)
    return str(made.version)


def catalog_of(use_case: str, folder: Path) -> DataCatalog:
    """The entries that a renewal writes, as the project's catalog has them."""

    def entry(kind: str, file: str, **further: object) -> dict[str, object]:
        return {"type": f"evergreen.datasets.{kind}Dataset", "filepath": str(folder / file), **further}

    records = {"serving": "RecordDataset", "evaluation": "RecordDataset", "monitoring": "RecordDataset"}
    config = {f"{use_case}.{name}": entry("Record", f"{name}.json", made_by="x", optional=True) for name in records}
    for name, file in (("model_card", "card.md"), ("model_card_page", "card.html"), ("monitoring_page", "m.html")):
        config[f"{use_case}.{name}"] = entry("Page", file)
    config[f"{use_case}.monitoring_metrics"] = entry("Page", "m.prom")
    for name in ("importance", "explanations"):
        config[f"{use_case}.{name}"] = entry("Table", f"{name}.csv")
    config["{use_case}.{name}_picture"] = entry("Picture", "pictures/{name}.json")
    return DataCatalog.from_config(config)


def test_a_version_of_the_former_layout_loads_scores_and_may_serve(former: str) -> None:
    checked = registry.check_version("churn", former)
    assert "stored predictions" in checked.sentence
    rows = pd.read_parquet(FORMER / "version" / CHECK_FILE)
    assert checked.version.probabilities(rows) == pytest.approx(rows["probability"].to_numpy(), abs=1e-12)
    assert registry.reference(checked.version).metrics["roc_auc"].value == pytest.approx(0.7549, abs=0.0001)


def test_a_version_of_the_former_layout_says_that_it_has_no_evaluation(former: str) -> None:
    found = registry.published_figures("churn", former)
    assert found["evaluation"].version == former
    assert found["evaluation"].status == "not_stored"
    assert f"Version {former} was stored before evaluations were kept with a version" in found["model_card"]
    assert found["evaluation"].metrics["test"]["roc_auc"].value == pytest.approx(0.7549, abs=0.0001)


def test_after_a_rollback_every_page_names_the_version_that_serves_again(use_case: str, tmp_path: Path) -> None:
    first, second = make_version(use_case, tmp_path, complete=True), make_version(use_case, tmp_path, "f2")
    registry.move_champion(use_case, first, None, "first")
    registry.move_champion(use_case, second, first, "better")
    place = tmp_path / "reports"
    catalog = catalog_of(use_case, place)
    catalog.save(f"{use_case}.monitoring_page", "<html><body><h1>monitoring</h1></body></html>")
    catalog.save(f"{use_case}.monitoring_metrics", "evergreen_window_rows 7.0\n")
    for serving in (second, first):
        if serving == first:
            registry.rollback(use_case, "complaints")
        renew(catalog, use_case)
        assert catalog.load(f"{use_case}.serving").version == serving
        assert catalog.load(f"{use_case}.evaluation").version == serving
        for file in ("card.md", "card.html", "m.html"):
            assert f"Version {serving} (LogisticRegression) serves" in (place / file).read_text()
        metrics = (place / "m.prom").read_text()
        assert metrics.startswith("evergreen_window_rows 7.0\n")
        assert f'evergreen_serving_version{{use_case="{use_case}",version="{serving}"}} 1.0' in metrics
        assert f"Version {serving} " in MlflowClient().get_registered_model(use_case).description


def test_what_is_up_to_date_is_not_written_again(use_case: str, tmp_path: Path) -> None:
    registry.move_champion(use_case, make_version(use_case, tmp_path), None, "first")
    catalog = catalog_of(use_case, tmp_path / "reports")
    renew(catalog, use_case)
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "reports").rglob("*") if file.is_file()}
    renew(catalog, use_case)
    assert {file: file.stat().st_mtime_ns for file in before} == before


def figures(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "evaluation.json").write_text(text)
    return folder


def test_figures_become_visible_all_at_once_or_not_at_all(
    use_case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = registry.load(use_case, make_version(use_case, tmp_path))
    registry.add_figures(version, figures(tmp_path / "one", "first"))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    second = figures(tmp_path / "two", "second")
    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "set_model_version_tag", killed)
        with pytest.raises(KeyboardInterrupt):
            registry.add_figures(version, second)
    assert registry.load(use_case, version.version).file("evaluation.json").read_text() == "first"
    registry.add_figures(version, figures(tmp_path / "three", "second"))
    assert registry.load(use_case, version.version).file("evaluation.json").read_text() == "second"


def test_damaged_figures_are_named(use_case: str, tmp_path: Path) -> None:
    version = registry.load(use_case, make_version(use_case, tmp_path))
    registry.add_figures(version, figures(tmp_path / "one", "first"))
    version = registry.load(use_case, version.version)
    assert version.figures_folder is not None
    (version.figures_folder / "evaluation.json").write_text("forged")
    again = registry.load(use_case, version.version)
    with pytest.raises(EvergreenError, match=r"version 1 is corrupt: evaluation\.json of its evaluation"):
        again.file("evaluation.json")
    assert FIGURES in MlflowClient().get_model_version(use_case, version.version).tags


def test_the_banner_stands_once_however_often_a_page_is_renewed(use_case: str, tmp_path: Path) -> None:
    registry.move_champion(use_case, make_version(use_case, tmp_path), None, "first")
    serving = registry.serving_record(use_case)
    assert serving is not None
    page = with_banner("<html><body><h1>x</h1></body></html>", serving, "1")
    assert with_banner(page, serving, "1") == page
    assert page.count("this page speaks of it") == 1
    text = with_line("# x\n\nwords\n", serving, "1")
    assert with_line(text, serving, "1") == text
    assert with_gauge(with_gauge("a 1.0\n", serving), serving) == with_gauge("a 1.0\n", serving)
