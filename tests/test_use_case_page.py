"""What docs/use-case.md says is done word by word, in its order; what docs/faq.md quotes is what is said."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests_support import ROOT, Project

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "use-case.md").read_text()
SOURCE = " ".join(
    re.sub(r'"\s*f?"', "", file.read_text()).replace("\n", " ") for file in (ROOT / "src/evergreen").rglob("*.py")
)


@pytest.fixture(scope="module")
def conf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("buyers")
    shutil.copytree(ROOT / "conf", folder / "conf")
    own = folder / "conf" / "mine" / "buyers"
    own.mkdir(parents=True)
    for text in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE):
        name = text.splitlines()[0].removeprefix("# ")
        (own / name).write_text(text.replace("data/buyers.parquet", str(folder / "buyers.parquet")))
    rng = np.random.default_rng(7)
    age, plan = rng.normal(40, 12, 1500), rng.choice(["basic", "gold"], 1500)
    chance = 1 / (1 + np.exp(-(age - 40) / 6 - (plan == "gold")))
    people = {"customer_id": np.arange(1500), "age": age, "income": rng.normal(3, 1, 1500), "plan": plan}
    pd.DataFrame({**people, "bought_again": rng.random(1500) < chance}).to_parquet(folder / "buyers.parquet")
    return folder / "conf"


def test_the_commands_of_the_page_lead_to_a_champion(conf: Path, tmp_path: Path) -> None:
    [commands] = re.findall(r"in this order:\n\n```\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    typed = [line.partition("#")[0].split() for line in commands.splitlines()]
    assert [line[1] for line in typed] == ["use-case", "check-conf", "run", "models"]
    project = Project(tmp_path)
    for line in typed:
        done = project.kedro(*line[1:], f"--conf-source={conf}")
        assert done.returncode == 0, done.stdout + done.stderr
    assert "champion" in done.stdout
    assert done.stdout.splitlines()[1].split()[:3] == ["buyers", "1", "champion"]


def test_every_sentence_that_the_questions_quote_is_said_somewhere() -> None:
    rows = re.findall(r"^\| (`.+?) \|", (ROOT / "docs" / "faq.md").read_text(), re.MULTILINE)
    quoted = [words for cell in rows for words in re.findall(r"`([^`-]+)`", cell)]
    assert len(quoted) > 10
    assert [words for words in quoted if words not in SOURCE and words.replace(" ", "_") not in SOURCE] == []
