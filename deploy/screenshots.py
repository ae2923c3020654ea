"""`make screenshots`: write pictures of the main views of both user interfaces to docs/.

They are reduced to MAX_COLOURS, which keeps the files small.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import httpx
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
TALL = ViewportSize(width=1280, height=1240)

KEY = "key-of-the-pictures"


@dataclass(frozen=True, slots=True)
class Screenshot:
    """A picture to take: of the service's page, the officer's, or that of a service with a record (its first case is
    {case}), once the selector `wait_for` is there."""

    name: str
    of: Literal["service", "officer", "record"]
    path: str
    wait_for: str
    size: ViewportSize
    scheme: Literal["light", "dark"]


SCREENSHOTS = (
    Screenshot("officer-one", "officer", "/?view=one&lang=en", NUMBER, DESKTOP, "light"),
    Screenshot("officer-compare", "officer", "/?view=compare&lang=en", "[role=combobox]", DESKTOP, "dark"),
    Screenshot(
        "officer-portfolio", "officer", "/?view=portfolio&lang=en", "canvas, .stVegaLiteChart svg", DESKTOP, "light"
    ),
    Screenshot("officer-phone", "officer", "/?view=one&lang=fr", NUMBER, PHONE, "dark"),
    Screenshot("officer-cases", "record", "/?view=cases&lang=en", ".st-key-cases button", DESKTOP, "light"),
    Screenshot("officer-case", "record", "/?case={case}&lang=en", "ol.history", TALL, "light"),
    Screenshot("home", "service", "/?lang=en", "#fields input", ViewportSize(width=800, height=860), "light"),
    Screenshot("home-phone", "service", "/?lang=fr", "#fields input", PHONE, "dark"),
)


def main() -> int:
    """Take every picture; exit code 1 if a process doesn't start."""
    FOLDER.mkdir(exist_ok=True)
    try:
        with (
            run_local_service() as service,
            run_local_page(service) as officer,
            run_record() as record,
            run_local_page(record, KEY) as cases,
            open_browser() as browser,
        ):
            case = put_on_record(record)
            pages = {"service": service, "officer": officer, "record": cases}
            for shot in SCREENSHOTS:
                file = capture(browser, shot, pages[shot.of] + shot.path.format(case=case))
                print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1024:.0f} kB")
    except DeployError as error:
        print(f"screenshots: {error}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def run_record() -> Iterator[str]:
    """Run a service that records into a file of its own; yields the base URL."""
    with TemporaryDirectory() as folder:
        settings = {"DECISIONS_URL": f"sqlite:///{folder}/decisions.db", "DECISIONS_KEYS": f"officer={KEY}"}
        with run_local_service(**settings) as base:
            yield base


def put_on_record(service: str) -> str:
    """Score some applicants and send a few to review by a person; returns the id of the latest of them."""
    table = (ROOT / "data" / "credit_data_holdout.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    with httpx.Client(base_url=service, headers={"X-API-Key": KEY}, trust_env=False) as client:
        content = "".join(["id" + table[0][table[0].index(",") :], *table[1:40]])
        response = client.post("/score", content=content, headers={"Content-Type": "text/csv"})
        ids = [row["decision_id"] for row in csv.DictReader(io.StringIO(response.text))]
        review = {"decision": "review", "reason": "Ask for payslips", "who": "Anna Berg", "note": "Called on Monday"}
        for id_ in ids[::4]:
            client.post(f"/v1/decisions/{id_}/review", json=review).raise_for_status()
    return ids[::4][-1]


def capture(browser: Browser, shot: Screenshot, address: str) -> Path:
    """Take one picture and write it; returns its path."""
    page = browser.new_page(viewport=shot.size, color_scheme=shot.scheme)
    page.goto(address)
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
