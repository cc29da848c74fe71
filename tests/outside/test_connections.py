"""How `serve` holds out against connections that take their time, by plain sockets."""

import re
import resource
import socket
import threading
import time

import pytest

from processes import eventually, http
from service import Service

IDLE = 1_100


class Scarce(Service):
    """A service that was started with few file descriptors: so many at first, and so many at most."""

    def __init__(self, folder, soft: int, hard: int):
        self.soft, self.hard = soft, hard
        super().__init__(folder)

    def start(self) -> None:
        if self.program.command[0] != "bash":
            limits = f'ulimit -S -n {self.soft} && ulimit -H -n {self.hard} && exec "$@"'
            self.program.command[:0] = ["bash", "-c", limits, "bash"]
        super().start()


@pytest.fixture
def start_scarce(tmp_path):
    started = []

    def start(soft: int, hard: int) -> Scarce:
        started.append(Scarce(tmp_path, soft, hard))
        return started[-1]

    yield start
    for service in started:
        service.stop()


@pytest.fixture
def many_sockets():
    """Room for many sockets of this process, all closed in the end."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[1], 8_192), before[1]))
    sockets = []
    yield sockets
    for each in sockets:
        each.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def connect(service: Service) -> socket.socket:
    return socket.create_connection(("127.0.0.1", service.port), timeout=60)


def is_well(service: Service) -> float:
    """How many seconds a new connection waits for the service to say that it is well."""
    begin = time.monotonic()
    answer = http().get(f"{service.url}/healthz", timeout=5)
    assert answer.status_code == 200
    return time.monotonic() - begin


def rest(connection: socket.socket) -> tuple[str, float]:
    """What comes until the service hangs up, and after how many seconds it does."""
    begin, text = time.monotonic(), b""
    try:
        while part := connection.recv(65_536):
            text += part
    except ConnectionResetError:
        pass
    return text.decode(), time.monotonic() - begin


def test_1100_idle_sockets_of_one_client_keep_nobody_out(start_scarce, many_sockets):
    # The usual soft limit of a login and of systemd; the service raises it by itself.
    service = start_scarce(1_024, 4_096)
    many_sockets.extend(connect(service) for _ in range(IDLE))
    assert is_well(service) < 2
    assert service.ask("Still open", reviewers=[{"email": "ana@example.com"}])


@pytest.mark.parametrize("descriptors", [512, 128])
def test_where_descriptors_are_few_idle_sockets_make_room_and_it_is_said_once_a_minute(start_scarce, many_sockets, descriptors):
    service = start_scarce(descriptors, descriptors)
    for batch in range(11):
        many_sockets.extend(connect(service) for _ in range(IDLE // 11))
        assert is_well(service) < 2, f"after {len(many_sockets)} sockets"
    assert service.ask("Still open", reviewers=[{"email": "ana@example.com"}])
    printed = service.printed()
    assert len(re.findall("idle ones are closed for new ones", printed)) == 1, printed
    assert "few file descriptors" in printed and "panicked" not in printed, printed


def test_when_all_have_requests_under_way_who_comes_is_told_when_to_come_again(start_scarce, many_sockets):
    service = start_scarce(128, 128)
    review = service.ask("Waited for", reviewers=[{"email": "ana@example.com"}])
    key = service.operator_key
    wait = (
        f"GET /api/v1/reviews/{review}?wait=20&until=ended HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\n"
        f"Authorization: Bearer {key}\r\nConnection: close\r\n\r\n"
    )

    def one_more() -> str | None:
        many_sockets.append(connect(service))
        many_sockets[-1].sendall(wait.encode())
        return refused(service)

    late = eventually("the place is full", one_more)
    assert "retry-after: 2" in late and "Too many connections" in late, late
    # Who waits goes on waiting, and hears of it.
    many_sockets.pop(0).close()
    eventually("there is a place again", lambda: not refused(service))
    assert service.vote(review, "ana@example.com", "approve").ok
    heard = [answer for answer, _ in map(rest, many_sockets) if answer.startswith("HTTP/1.1 200")]
    assert len(heard) > 20, "those who waited, but for the last who came"


def refused(service: Service) -> str | None:
    with connect(service) as late:
        late.sendall(f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\nConnection: close\r\n\r\n".encode())
        text, _ = rest(late)
        return text if text.startswith("HTTP/1.1 503") else None


def test_slow_heads_and_bodies_are_given_up_and_slow_but_honest_clients_are_not(start_service):
    service = start_service()
    host = f"Host: 127.0.0.1:{service.port}\r\n"
    post = f"POST /api/v1/reviews HTTP/1.1\r\n{host}Authorization: Bearer {service.operator_key}\r\nContent-Type: application/json\r\n"
    body = '{"title": "By a slow line", "reviewers": [{"email": "ana@example.com"}]}'
    came: dict[str, tuple[str, float]] = {}

    def send(name: str, parts: list[str], every: float) -> None:
        begin = time.monotonic()
        with connect(service) as line:
            for part in parts:
                try:
                    line.sendall(part.encode())
                except OSError:
                    break
                time.sleep(every)
            text, _ = rest(line)
        came[name] = text, time.monotonic() - begin

    head, length = f"{post}Content-Length: ", f"{len(body)}\r\nConnection: close\r\n\r\n"
    threads = [
        threading.Thread(target=send, args=arguments)
        for arguments in [
            ("slow head", [*(head + length)[:60]], 1),
            ("half a head", [head], 0),
            ("half a body", [head + length + body[:20]], 0),
            ("honest", [head, length, *(body[start : start + 10] for start in range(0, len(body), 10))], 1),
        ]
    ]
    for thread in threads:
        thread.start()
    assert is_well(service) < 2
    for thread in threads:
        thread.join(timeout=90)
    assert came["half a head"][0] == "" and 14 < came["half a head"][1] < 20, came
    assert came["slow head"][0] == "" and came["slow head"][1] < 62, came
    assert came["half a body"][0].startswith("HTTP/1.1 408") and 9 < came["half a body"][1] < 15, came
    assert came["honest"][0].startswith("HTTP/1.1 201"), came
