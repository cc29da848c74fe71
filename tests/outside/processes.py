"""Programs that the tests start, each on a free loopback port, and stop again by their own id."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import requests

# No test may reach real AWS, whatever the machine that runs it is signed in to.
DUMMY_AWS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def environment(**extra: str) -> dict[str, str]:
    """This process's environment without its AWS settings and proxies, with dummy credentials."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "COUNTERSIGN_")) and not name.lower().endswith("_proxy")
    }
    return kept | DUMMY_AWS | extra


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def http() -> requests.Session:
    """A session that goes straight to loopback, past any proxy of the machine."""
    session = requests.Session()
    session.trust_env = False
    return session


def eventually(what: str, look, seconds: float = 10, every: float = 0.05):
    """What `look` returns once that is true; an error that names `what` when it never is."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what} (last seen: {found!r})")
        time.sleep(every)


class Program:
    """One running program; everything it prints goes to `log`."""

    def __init__(self, command: list[str], env: dict[str, str], log: Path, cwd: Path):
        self.command, self.env, self.log, self.cwd = command, env, log, cwd
        self.process: subprocess.Popen | None = None

    def launch(self) -> None:
        """Starts it, and waits for nothing."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.env, cwd=self.cwd, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def start(self, ready: str, seconds: float = 20, host: str | None = None) -> None:
        """Starts it and waits until a GET of `ready`, under this host name, answers 200."""
        self.launch()
        session = http()

        def answers() -> bool:
            if self.process.poll() is not None:
                raise AssertionError(f"{self.command[0]} ended with {self.process.returncode}:\n{self.printed()}")
            try:
                return session.get(ready, headers={"Host": host} if host else {}, timeout=2).status_code == 200
            except requests.RequestException:
                return False

        eventually(f"{ready} answers 200", answers, seconds, every=0.01)

    def stop(self) -> int:
        """Asks it to end (SIGTERM) and returns its exit code; negative when a signal ended it."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise AssertionError(f"{self.command[0]} did not end within 10 s of SIGTERM:\n{self.printed()}") from None

    def kill9(self) -> None:
        """Ends it as a power cut would: it gets no chance to write anything more."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def printed(self) -> str:
        return self.log.read_text(errors="replace")
