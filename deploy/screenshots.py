"""`make screenshots`: write pictures of the main views of both user interfaces to docs/.

They are reduced to MAX_COLOURS, which keeps the files small.
"""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, ViewportSize

from deploy import ROOT
from deploy.browser import open_browser
from deploy.errors import DeployError
from deploy.local import run_local_page, run_local_service

FOLDER = ROOT / "docs"
MAX_COLOURS = 64

NUMBER = "[data-testid=stNumberInputField]"
"""Selector of a number field, which Streamlit renders last."""

DESKTOP, PHONE = ViewportSize(width=1280, height=860), ViewportSize(width=390, height=844)


@dataclass(frozen=True, slots=True)
class Screenshot:
    """A picture to take: of the service's or the client's page, once the selector `wait_for` is there."""

    name: str
    is_service: bool
    path: str
    wait_for: str
    size: ViewportSize
    scheme: Literal["light", "dark"]


SCREENSHOTS = (
    Screenshot("officer-one", False, "/?view=one&lang=en", NUMBER, DESKTOP, "light"),
    Screenshot("officer-compare", False, "/?view=compare&lang=en", "[role=combobox]", DESKTOP, "dark"),
    Screenshot(
        "officer-portfolio", False, "/?view=portfolio&lang=en", "canvas, .stVegaLiteChart svg", DESKTOP, "light"
    ),
    Screenshot("officer-phone", False, "/?view=one&lang=fr", NUMBER, PHONE, "dark"),
    Screenshot("home", True, "/?lang=en", "#fields input", ViewportSize(width=800, height=860), "light"),
    Screenshot("home-phone", True, "/?lang=fr", "#fields input", PHONE, "dark"),
)


def main() -> int:
    """Take every picture; exit code 1 if a process doesn't start."""
    FOLDER.mkdir(exist_ok=True)
    try:
        with run_local_service() as service, run_local_page(service) as page, open_browser() as browser:
            for shot in SCREENSHOTS:
                file = capture(browser, shot, service if shot.is_service else page)
                print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1024:.0f} kB")
    except DeployError as error:
        print(f"screenshots: {error}", file=sys.stderr)
        return 1
    return 0


def capture(browser: Browser, shot: Screenshot, base: str) -> Path:
    """Take one picture and write it; returns its path."""
    page = browser.new_page(viewport=shot.size, color_scheme=shot.scheme)
    page.goto(base + shot.path)
    page.locator(shot.wait_for).first.wait_for()
    page.wait_for_load_state("networkidle")
    # Streamlit fades its elements in, which networkidle does not wait for.
    page.wait_for_timeout(1000)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(MAX_COLOURS)
    page.close()
    path = FOLDER / f"{shot.name}.png"
    picture.save(path, optimize=True)
    return path


if __name__ == "__main__":
    sys.exit(main())
