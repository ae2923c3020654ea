"""`make screenshots`: pictures of each main view of both pages, into docs/, as the README shows them.

Few colours are enough for a page and keep the repository small.
"""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, ViewportSize

from deploy.local import LocalError, open_browser, running_page, running_service
from deploy.slug import ROOT

FOLDER = ROOT / "docs"
COLOURS = 64

NUMBER = "[data-testid=stNumberInputField]"
"""Streamlit's fields come last."""

DESK, PHONE = ViewportSize(width=1280, height=860), ViewportSize(width=390, height=844)


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: file, page, address, what has to be there first, and how it is looked at."""

    name: str
    is_of_service: bool
    address: str
    wait_for: str
    size: ViewportSize
    scheme: Literal["light", "dark"]


SHOTS = (
    Shot("officer-one", False, "/?view=one&lang=en", NUMBER, DESK, "light"),
    Shot("officer-compare", False, "/?view=compare&lang=en", "[role=combobox]", DESK, "dark"),
    Shot("officer-portfolio", False, "/?view=portfolio&lang=en", "canvas, .stVegaLiteChart svg", DESK, "light"),
    Shot("officer-phone", False, "/?view=one&lang=fr", NUMBER, PHONE, "dark"),
    Shot("home", True, "/?lang=en", "#fields input", ViewportSize(width=800, height=860), "light"),
    Shot("home-phone", True, "/?lang=fr", "#fields input", PHONE, "dark"),
)


def main() -> int:
    """Take every picture; exit code 1 and one sentence if something doesn't start."""
    FOLDER.mkdir(exist_ok=True)
    try:
        with running_service() as service, running_page(service) as page, open_browser() as browser:
            for shot in SHOTS:
                path = take(browser, shot, service if shot.is_of_service else page)
                print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1024:.0f} kB")
    except LocalError as error:
        print(f"screenshots: {error}", file=sys.stderr)
        return 1
    return 0


def take(browser: Browser, shot: Shot, base: str) -> Path:
    """Take one picture and write it."""
    page = browser.new_page(viewport=shot.size, color_scheme=shot.scheme)
    page.goto(base + shot.address)
    page.locator(shot.wait_for).first.wait_for()
    page.wait_for_load_state("networkidle")
    # Streamlit fades its elements in.
    page.wait_for_timeout(1000)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS)
    page.close()
    path = FOLDER / f"{shot.name}.png"
    picture.save(path, optimize=True)
    return path


if __name__ == "__main__":
    sys.exit(main())
