"""What the tests are given: the service, AWS emulators, a browser."""

import itertools
import os
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from browsing import Browsing
from emulators import Emulator
from forwarder import Forwarder
from service import ROOT, Service

# A browser that talks to nobody but the page under test.
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_addoption(parser):
    parser.addoption("--pictures", action="store_true", help="write the pictures of the documentation anew")


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Where screenshots are kept after the run."""
    folder = Path(os.environ.get("ARTEFACTS", ROOT / "target/outside"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def start_service(tmp_path):
    """Starts services, each on its own data; ends them after the test and insists that they end cleanly."""
    started: list[Service] = []

    def start(*options: str, **settings: str) -> Service:
        folder = tmp_path / f"service-{len(started)}"
        folder.mkdir()
        started.append(Service(folder, *options, **settings))
        return started[-1]

    yield start
    codes = []
    for service in started:
        running = service.program.process.poll() is None
        codes.append(service.stop() if running else 0)
        print(f"--- what {service.url} printed ---\n{service.printed()}")
    assert codes == [0] * len(codes), "the service ends cleanly on SIGTERM"


@pytest.fixture
def service(start_service) -> Service:
    """One running service that waits for nobody's workflow."""
    return start_service()


@pytest.fixture(scope="session")
def start_emulator(tmp_path_factory):
    """Starts an emulator by name, once a run."""
    started: dict[str, Emulator] = {}

    def start(name: str) -> Emulator:
        if name not in started:
            started[name] = Emulator(name, tmp_path_factory.mktemp(name))
        return started[name]

    yield start
    for emulator in started.values():
        emulator.program.stop()


@pytest.fixture(params=["ministack", "moto"])
def any_emulator(request, start_emulator) -> Emulator:
    """Each emulator of Step Functions in turn: where they differ, the service must get on with both."""
    return start_emulator(request.param)


@pytest.fixture
def emulator(start_emulator) -> Emulator:
    """ministack: EventBridge, SQS and Step Functions in one."""
    return start_emulator("ministack")


@pytest.fixture
def forwarder(any_emulator):
    """The service's way to the emulator; can be switched off."""
    forwarder = Forwarder(any_emulator.port)
    yield forwarder
    forwarder.off()


_numbers = itertools.count(1)


@pytest.fixture
def unique() -> str:
    """A name that no other test of this run uses."""
    return f"run-{os.getpid()}-{next(_numbers)}"


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium, headless."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_ARGS)
        yield chromium
        chromium.close()


@pytest.fixture
def browsing(browser):
    """Opens pages; the test fails when any of them has an error on its console."""
    browsing = Browsing(browser)
    yield browsing
    browsing.close()
    assert browsing.wrong == [], "pages are without errors"
