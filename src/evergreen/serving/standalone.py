"""A version as a folder that answers where neither Evergreen nor scikit-learn is installed."""

from __future__ import annotations

import shutil
from pathlib import Path

from evergreen.errors import EvergreenError
from evergreen.modelling import predictor
from evergreen.rows import canonical
from evergreen.serving.loader import export

READ_FILE = "read.py"
_READ = '''"""Answers with this version; needs numpy alone.

    python read.py rows.csv            a file with one column a feature; prints a probability a row

Or, in Python: ``from read import predictor; predictor.probability([values in the order of predictor.features])``.
"""

import csv
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import canonical
from predictor import Predictor

predictor = Predictor.read(Path(__file__).parent, canonical)

if __name__ == "__main__":
    with open(sys.argv[1], newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns = {name: [row[name] or None for row in rows] for name in predictor.features}
    columns |= {name: [None if v is None else float(v) for v in columns[name]] for name in predictor.numeric}
    for probability in predictor.probabilities(columns, len(rows)):
        print(float(probability))
'''


def export_standalone(use_case: str, number: str, folder: Path) -> Path:
    """Prove a version and write plan, arrays and a reader that needs numpy alone.

    Returns:
        The version's own folder below ``folder``.

    Raises:
        EvergreenError: Where the version is refused, or has no plain form.
    """
    made = export(use_case, number, folder)
    if not (made / predictor.PLAN_FILE).is_file():
        raise EvergreenError(
            f"{use_case} version {number} has no plain form: scikit-learn is needed to answer with it; use the "
            "registered model itself."
        )
    for module in (predictor, canonical):
        shutil.copy(str(module.__file__), made)
    (made / READ_FILE).write_text(_READ, encoding="utf-8")
    return made
