"""One Chromium, and a way to look for faults of accessibility."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from deploy.local import open_browser

SERIOUS = ("serious", "critical")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    with open_browser() as chromium:
        yield chromium


@pytest.fixture(scope="session")
def find_faults() -> Callable[[Page], list[str]]:
    """What axe-core calls serious or critical on a page: rule and first element."""

    def find(page: Page) -> list[str]:
        found = Axe().run(page).response["violations"]
        return [f"{fault['id']}: {fault['nodes'][0]['html']}" for fault in found if fault["impact"] in SERIOUS]

    return find
