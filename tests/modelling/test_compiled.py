from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from evergreen.errors import EvergreenError
from evergreen.modelling import predictor as reader
from evergreen.modelling.compiled import NotCompilableError, compile_pipeline, split_points
from evergreen.modelling.estimators import COMPETITORS, make_pipeline
from evergreen.modelling.parity import TOLERANCE, prove_parity
from evergreen.modelling.predictor import NumpyTrees, Predictor
from evergreen.modelling.tree_kernels import NumbaTrees
from evergreen.rows import canonical
from small_models import SPEC, drawn, fitted, table


@pytest.mark.parametrize(("slope", "few_levels"), [(0.8, 12), (1.0, 0)])
@pytest.mark.parametrize("name", COMPETITORS)
def test_a_compiled_version_answers_as_scikit_learn_does(name: str, slope: float, few_levels: int) -> None:
    pipeline = fitted(name, slope, few_levels)
    compiled = compile_pipeline(pipeline)
    assert prove_parity(pipeline, compiled, drawn(compiled, 2000), NumbaTrees()) <= TOLERANCE


@pytest.mark.parametrize("name", ["HistGradientBoosting", "RandomForest", "GradientBoosting"])
def test_numpy_alone_sums_trees_as_machine_code_does(name: str) -> None:
    compiled = compile_pipeline(fitted(name))
    assert prove_parity(fitted(name), compiled, drawn(compiled, 500), NumpyTrees()) <= TOLERANCE


@pytest.mark.parametrize("value", [1, 1.0, "1", True])
def test_a_category_means_what_it_meant_in_training_whatever_type_it_comes_as(value: object) -> None:
    X, y = table()
    X = X.assign(code=np.where(X["code"] == "7", "1", X["code"]))
    pipeline = make_pipeline("LogisticRegression", SPEC, {}, 0).fit(X, y)
    compiled = compile_pipeline(pipeline)
    asked = Predictor(compiled.plan, compiled.arrays, canonical)
    as_text = pipeline.predict_proba(pd.DataFrame([{"price": 1.0, "age": 44.0, "city": "A", "code": "1"}]))[0, 1]
    assert asked.probability([1.0, 44.0, "A", value]) == pytest.approx(as_text, abs=TOLERANCE)


def test_rows_are_drawn_on_split_points_and_beside_them() -> None:
    compiled = compile_pipeline(fitted("RandomForest"))
    points = split_points(compiled)["age"]
    ages = drawn(compiled, 4000)["age"].to_numpy()
    for beside in (points, np.nextafter(points, np.inf), np.nextafter(points, -np.inf)):
        assert np.isin(beside, ages).any()


def test_a_difference_is_refused_with_its_size() -> None:
    pipeline = fitted("LogisticRegression")
    compiled = compile_pipeline(pipeline)
    compiled.arrays["coef"][0] += 1e-6
    with pytest.raises(EvergreenError, match="differs from scikit-learn by"):
        prove_parity(pipeline, compiled, drawn(compiled, 200))


def test_an_estimator_without_a_plain_form_is_named() -> None:
    X, y = table()
    with pytest.raises(NotCompilableError, match="steps classifier"):
        compile_pipeline(Pipeline([("classifier", LogisticRegression())]).fit(X[["age"]], y))


def test_what_was_written_is_read_back_by_numpy_alone(tmp_path: Path) -> None:
    compiled = compile_pipeline(fitted("GradientBoosting"), {"version": "3"})
    compiled.write(tmp_path)
    places = [str(Path(module.__file__).parent) for module in (reader, canonical)]
    code = (
        f"import sys; sys.path[:0] = {places!r}\n"
        f"from pathlib import Path\nimport canonical\nfrom predictor import Predictor\n"
        f"print(Predictor.read(Path({str(tmp_path)!r}), canonical).probability([1.0, 44.0, 'A', '7']))\n"
        "print(sorted({'pandas', 'sklearn', 'scipy', 'evergreen', 'numba'} & set(sys.modules)))"
    )
    probability, loaded = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    ).stdout.split("\n", 1)
    row = pd.DataFrame([{"price": 1.0, "age": 44.0, "city": "A", "code": "7"}])
    expected = fitted("GradientBoosting").predict_proba(row)[0, 1]
    assert float(probability) == pytest.approx(expected, abs=TOLERANCE)
    assert loaded.strip() == "[]"
    assert json.loads((tmp_path / reader.PLAN_FILE).read_text())["version"] == "3"
