"""Claims about the list of use cases: it is read wherever the project is opened, and everything follows from it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from evergreen.context import use_cases
from evergreen.errors import EvergreenError
from evergreen.use_cases import read_use_cases
from tests_support import ROOT, Project

pytestmark = pytest.mark.slow

TABLE = "{entity: id, target: label, numeric: [amount]}"
OWN = {
    "use_cases.yml": "fraud: {source: dated_table}\nchurn: ~\nhigh_value_sales: ~\n",
    "parameters.yml": f"fraud: {{table: {TABLE}}}\n",
    "catalog.yml": "fraud.rows: {type: MemoryDataset}\n",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with an environment `mine`, whose only use case is `fraud`."""
    monkeypatch.setenv("EVERGREEN_DATA", str(tmp_path / "data"))
    project = Project(tmp_path / "data")
    project.conf_with(tmp_path, "mine", OWN)
    return project


def namespaces() -> set[str]:
    return {str(node.namespace).partition(".")[0] for node in pipelines["__default__"].nodes}


def open_context(conf: Path, env: str) -> None:
    session = KedroSession.create(project_path=ROOT, env=env, conf_source=str(conf))
    assert isinstance(session, KedroSession)
    session.load_context()


def python(statements: str, **environment: str) -> str:
    surroundings = {**os.environ, **environment}
    done = subprocess.run(
        [sys.executable, "-c", statements], cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_two_sessions_of_different_environments_in_one_process_have_their_own(project: Project, tmp_path: Path) -> None:
    bootstrap_project(ROOT)
    open_context(tmp_path / "conf", "mine")
    assert (list(use_cases()), namespaces()) == (["fraud"], {"fraud"})
    open_context(tmp_path / "conf", "base")
    assert (list(use_cases()), namespaces()) == (["high_value_sales", "churn"], {"high_value_sales", "churn"})


def test_a_run_with_a_conf_source_has_the_use_cases_of_its_environment(project: Project, tmp_path: Path) -> None:
    (tmp_path / "fraud.csv").write_text("id,label,amount\n1,0,2.5\n2,1,3.5\n")
    entry = {"type": "ibis.FileDataset", "filepath": f"{tmp_path}/fraud.csv", "file_format": "csv"}
    catalog = {"fraud.rows": {**entry, "connection": "${globals:connection}"}}
    (tmp_path / "conf/mine/catalog.yml").write_text(yaml.safe_dump(catalog))
    done = project.run(f"--conf-source={tmp_path}/conf", "--pipelines=feature_engineering", env="mine")
    assert done.returncode == 0, done.stderr
    assert [folder.name for folder in (project.data / "04_feature").iterdir()] == ["fraud"]


def test_kedro_viz_sees_them_without_hooks(project: Project, tmp_path: Path) -> None:
    loaded = (
        "from pathlib import Path; from kedro_viz.integrations.kedro.data_loader import load_data; "
        f"_, named, *_ = load_data(Path('{ROOT}'), env='base'); "
        "print(sorted({n.namespace.partition('.')[0] for n in named['__default__'].nodes}))"
    )
    assert python(loaded) == "['churn', 'high_value_sales']"


def test_ipython_sees_them(project: Project, tmp_path: Path) -> None:
    loaded = (
        "from IPython.core.interactiveshell import InteractiveShell; shell = InteractiveShell.instance(); "
        "shell.run_line_magic('load_ext', 'kedro.ipython'); "
        f"shell.run_line_magic('reload_kedro', '--env=mine --conf-source={tmp_path}/conf'); "
        "print(sorted({n.namespace.partition('.')[0] for n in shell.user_ns['pipelines']['__default__'].nodes}))"
    )
    assert python(loaded) == "['fraud']"


def test_without_a_session_the_environment_of_kedro_env_counts(project: Project) -> None:
    listed = (
        "from kedro.framework.startup import bootstrap_project; from pathlib import Path; "
        f"bootstrap_project(Path('{ROOT}')); from kedro.framework.project import pipelines; "
        "print(sorted({n.namespace.partition('.')[0] for n in pipelines['__default__'].nodes}))"
    )
    assert python(listed, KEDRO_ENV="base") == "['churn', 'high_value_sales']"


@pytest.mark.parametrize(
    ("listed", "sentence"),
    [
        ({}, "no use case is listed"),
        ({"churn": None}, "no use case is listed"),
        ({"fraud": {"source": "excel"}}, "one of star_schema, one_table, dated_table; a star schema names its tables"),
        ({"fraud": "one_table"}, "it must be {source: …}"),
        ({"my fraud": {"source": "one_table"}}, "can't be a name"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_in_a_sentence(listed: dict[str, object], sentence: str) -> None:
    with pytest.raises(EvergreenError, match=sentence):
        read_use_cases(listed)
