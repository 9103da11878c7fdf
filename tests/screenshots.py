"""``make screenshots``: the pages of the last run, as the README and docs/ show them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from browser import CHROMIUM, browser

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs"
# Image → page, width, height, whether dark.
SHOTS = {
    "dashboard.png": ("high_value_sales/dashboard.html", 1280, 1500, False),
    "dashboard-narrow-dark.png": ("high_value_sales/dashboard.html", 390, 800, True),
    "monitoring-page.png": ("churn/monitoring.html", 1280, 1500, False),
    "model-card.png": ("high_value_sales/model_card.html", 1280, 1100, False),
}


def main() -> None:
    """Open each page and write what is seen."""
    folder = Path(os.environ.get("EVERGREEN_DATA", ROOT / "data")) / "08_reporting"
    missing = [page for page, *_ in SHOTS.values() if not (folder / page).is_file()]
    if CHROMIUM is None:
        sys.exit("screenshots: there is no Chromium here; install it (Debian: apt-get install chromium).")
    if missing:
        sys.exit(f"screenshots: {folder} has no {missing[0]}; run `kedro run` first.")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with browser() as tab:
        for image, (page, width, height, dark) in SHOTS.items():
            tab.open(folder / page, width, height, dark)
            tab.screenshot(IMAGES / image)
            print(f"{IMAGES / image}: {(IMAGES / image).stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
