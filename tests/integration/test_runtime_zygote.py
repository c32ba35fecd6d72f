"""Workers from the zygote: forks, parked and adopted connections, ends. The test supervises."""

import http.client
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psutil
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from runtime.control import Packet, receive, send
from runtime.launch import Exit, Launch
from tests.integration.runtime_rig import ROW, Keys, digest_of, launch_of, plan_of

WAIT_S = 30.0
V2 = {"inputs": [{"name": "x", "datatype": "FP64", "shape": [1, 4], "data": ROW}]}
# Method, path, content type, body and the answer's status: one of each kind.
ASKED: Final[list[tuple[str, str, str, str | None, int]]] = [
    ("POST", "/predict", "application/json", json.dumps([ROW]), 200),
    ("POST", "/predict", "application/json", json.dumps([ROW] * 500), 200),
    ("POST", "/predict", "text/csv", "5.1,3.5,1.4,0.2\n", 200),
    ("POST", "/predict?first=7", "application/x-ndjson", f"{ROW}\n{ROW}\n", 200),
    ("POST", "/v1/models/iris:predict", "application/json", json.dumps({"instances": [ROW]}), 200),
    ("POST", "/v2/models/iris/infer", "application/json", json.dumps(V2), 200),
    ("POST", "/predict", "application/json", "[[1]]", 422),
    ("GET", "/m%65trics", "", None, 200),
    ("GET", "/v2/models/iris", "", None, 200),
    ("GET", "/nowhere", "", None, 404),
]


class Channel:
    """A SEQPACKET socket read in order; descriptors of `park` are collected."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.parked: list[int] = []
        self.seen: list[Packet] = []

    def tell(self, packet: dict[str, Any], descriptors: list[int] = []) -> None:  # noqa: B006
        send(self.sock, json.dumps(packet).encode(), descriptors)

    def next(self) -> Packet | None:
        assert select.select([self.sock], [], [], WAIT_S)[0], f"silence after {self.seen}"
        packet, descriptors = receive(self.sock)
        self.parked += descriptors
        if packet is not None:
            self.seen.append(packet)
        return packet

    def until(self, kind: str) -> Packet:
        while (packet := self.next()) is not None:
            if packet["t"] == kind:
                return packet
        raise AssertionError(f"ended before {kind}: {self.seen}")

    def rest(self) -> None:
        while self.next() is not None:
            pass


class Supervisor:
    """Just enough of one: a listener, a zygote, workers by name."""

    def __init__(self, folder: Path, launch: Launch) -> None:
        self.folder, self.launch = folder, launch
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port: int = self.listener.getsockname()[1]
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "runtime.zygote", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
            )
        self.zygote = Channel(ours)
        self.channels = [self.zygote]
        self.count = 0
        self.running: set[int] = set()

    def fork(self, adopt: list[int] | None = None) -> tuple[Channel, int]:
        self.count += 1
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, (self.folder / "log").open("ab") as log:
            packet = {"t": "fork", "id": f"w-{self.count}", "env": self.launch.to_env()}
            packet["first_byte"] = time.monotonic()
            self.zygote.tell(packet, [self.listener.fileno(), theirs.fileno(), log.fileno()])
        worker = Channel(ours)
        self.channels.append(worker)
        for descriptor in adopt or []:
            worker.tell({"t": "adopt"}, [descriptor])
            os.close(descriptor)
        pid = int(self.zygote.until("forked")["pid"])
        self.running.add(pid)
        return worker, pid

    def exited(self) -> Packet:
        packet = self.zygote.until("exited")
        self.running.discard(packet["pid"])
        return packet

    def close(self) -> None:
        for channel in self.channels:
            channel.sock.close()
        try:
            self.process.wait(10)
        finally:
            self.process.kill()
            self.process.wait()
            self.listener.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("zygote")


@pytest.fixture(scope="module")
def keys(folder: Path) -> Keys:
    return Keys(folder)


@pytest.fixture(scope="module")
def shared(folder: Path, keys: Keys) -> Iterator[Supervisor]:
    running = Supervisor(folder, launch_of(folder, keys))
    yield running
    running.close()


@pytest.fixture
def supervisor(shared: Supervisor) -> Iterator[Supervisor]:
    """Share the zygote, which takes long to start; every test ends its own workers."""
    yield shared
    for channel in shared.channels[1:]:
        channel.sock.close()
    del shared.channels[1:]
    while shared.running:
        shared.exited()


def request(keys: Keys, row: list[float] = ROW) -> bytes:
    body = json.dumps([row]).encode()
    head = f"POST /predict HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {keys.token()}\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def answer(file: Any) -> Any:
    line = file.readline()
    assert line.startswith(b"HTTP/1.1 200"), line
    length = 0
    while (header := file.readline()) != b"\r\n":
        name, _, value = header.partition(b":")
        length = int(value) if name == b"content-length" else length
    return json.loads(file.read(length))["predictions"]


def test_a_worker_tells_its_phases_and_ends_when_told(supervisor: Supervisor, keys: Keys) -> None:
    with socket.create_connection(("127.0.0.1", supervisor.port), WAIT_S) as sock:
        sock.sendall(request(keys))  # before anybody accepts: the backlog holds it
        worker, pid = supervisor.fork()
        assert set(worker.until("ready")["phases"]) == {"spawn", "load", "warm"}
        assert answer(sock.makefile("rb")) == [0]
        first = worker.until("first_answer")
        assert set(first["phases"]) == {"spawn", "load", "warm", "answer"}
        assert first["total"] >= first["phases"]["answer"] > 0
        stats = worker.until("stats")
        assert (stats["requests"], stats["in_flight"], stats["connections"]) == (1, 0, 1)
        assert stats["revisions"]["iris-00001"]["requests"] == 1
        worker.tell({"t": "drain"})
        worker.until("drained")
        worker.rest()
        assert len(worker.parked) == 1
        exited = supervisor.exited()
        assert (exited["pid"], exited["code"], exited["signal"]) == (pid, Exit.OK, None)
        again, _ = supervisor.fork(adopt=worker.parked)
        sock.sendall(request(keys, [6.7, 3.1, 5.2, 2.3]))
        assert answer(sock.makefile("rb")) == [2]
        again.tell({"t": "drain"})
        again.rest()
        for descriptor in again.parked:
            os.close(descriptor)


def test_a_worker_imports_nothing_whatever_is_asked_of_it(
    folder: Path, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python writes each import to stderr, which is the worker's log from its launch on."""
    monkeypatch.setenv("PYTHONVERBOSE", "1")
    x, y = load_iris(return_X_y=True)
    fitted = make_pipeline(StandardScaler(), RandomForestClassifier(5, random_state=0)).fit(x, y)
    plan = plan_of(tmp_path / "forest.plan", fitted, [f"x{i}" for i in range(4)])
    launch = launch_of(folder, keys)
    (revision,) = launch.revisions
    revision = revision._replace(artifact=str(plan), sha256=digest_of(plan))
    supervisor = Supervisor(tmp_path, launch._replace(revisions=(revision,)))
    try:
        for _ in range(2):  # one made in advance and one that was not, or the other way about
            worker, _ = supervisor.fork()
            worker.until("ready")
            for method, path, media, body, status in ASKED:
                headers = {"authorization": f"Bearer {keys.token()}", "content-type": media}
                connection = http.client.HTTPConnection(
                    "127.0.0.1", supervisor.port, timeout=WAIT_S
                )
                connection.request(method, path, body, headers | {"accept-encoding": "gzip"})
                response = connection.getresponse()
                assert response.status == status, (path, response.read())
                response.read()
                connection.close()
            worker.tell({"t": "drain"})
            worker.rest()
            supervisor.exited()
    finally:
        supervisor.close()
    log = (tmp_path / "log").read_text()
    assert log.count("serving iris:1") == 2
    assert not re.findall(r"^import '(\S+)' #", log, re.MULTILINE)


def test_no_request_is_lost_while_workers_come_and_go(supervisor: Supervisor, keys: Keys) -> None:
    rows = {0: ROW, 2: [6.7, 3.1, 5.2, 2.3]}
    wholes = {label: request(keys, row) for label, row in rows.items()}
    stop = threading.Event()
    answered: list[int] = []
    faults: list[BaseException] = []

    def client(number: int) -> None:
        try:
            with socket.create_connection(("127.0.0.1", supervisor.port), WAIT_S) as sock:
                file, count = sock.makefile("rb"), 0
                while not stop.is_set():
                    label = 2 * (count % 2)
                    whole = wholes[label]
                    if number % 3 == 0:  # pipelined
                        sock.sendall(whole + whole)
                        assert answer(file) == [label]
                    elif number % 3 == 1:  # in two parts, wherever the worker's end falls
                        sock.sendall(whole[:150])
                        sock.sendall(whole[150:])
                    else:
                        sock.sendall(whole)
                    assert answer(file) == [label]
                    count += 1
                answered.append(count)
        except BaseException as error:
            faults.append(error)
            raise

    clients = [threading.Thread(target=client, args=(n,)) for n in range(9)]
    for thread in clients:
        thread.start()
    parked: list[int] = []
    for _ in range(25):
        worker, _ = supervisor.fork(adopt=parked)
        worker.until("first_answer")
        worker.tell({"t": "drain"})
        worker.rest()
        assert worker.seen[-1]["t"] == "drained"
        assert supervisor.exited()["code"] == Exit.OK
        parked = worker.parked
    last, _ = supervisor.fork(adopt=parked)
    stop.set()
    for thread in clients:
        thread.join(WAIT_S)
    assert faults == []
    assert len(answered) == 9
    assert min(answered) > 0
    last.tell({"t": "drain"})
    last.rest()


def test_half_a_request_is_answered_before_its_connection_is_parked(
    supervisor: Supervisor, keys: Keys
) -> None:
    with socket.create_connection(("127.0.0.1", supervisor.port), WAIT_S) as sock:
        worker, _ = supervisor.fork()
        file, whole = sock.makefile("rb"), request(keys)
        sock.sendall(whole)
        assert answer(file) == [0]
        sock.sendall(whole + whole[:-4])
        assert answer(file) == [0]  # so the half behind it was read too
        worker.tell({"t": "drain"})
        sock.sendall(whole[-4:])
        assert answer(file) == [0]
        worker.until("drained")
        worker.rest()
        assert len(worker.parked) == 1
        os.close(worker.parked[0])


def test_some_connections_are_shed_to_a_new_worker(supervisor: Supervisor, keys: Keys) -> None:
    socks = [socket.create_connection(("127.0.0.1", supervisor.port), WAIT_S) for _ in range(4)]
    first, _ = supervisor.fork()
    for sock in socks:
        sock.sendall(request(keys))
        assert answer(sock.makefile("rb")) == [0]
    first.tell({"t": "shed", "count": 2})
    while len(first.parked) < 2:
        first.until("park")
    second, _ = supervisor.fork(adopt=first.parked)
    for sock in socks:
        sock.sendall(request(keys))
        assert answer(sock.makefile("rb")) == [0]
    while second.until("stats")["connections"] != 2:
        continue
    for sock in socks:
        sock.close()


def test_a_worker_ends_at_once_without_its_supervisor(supervisor: Supervisor) -> None:
    worker, pid = supervisor.fork()
    worker.until("ready")
    worker.sock.close()
    exited = supervisor.exited()
    assert (exited["pid"], exited["code"]) == (pid, Exit.SUPERVISOR_GONE)


def test_a_refused_plan_and_a_wrong_environment_are_reported(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    good = supervisor.launch
    broken = tmp_path / "broken.plan"
    broken.write_bytes(b"nothing")
    supervisor.launch = good._replace(revisions=(good.revisions[0]._replace(artifact=str(broken)),))
    supervisor.fork()
    supervisor.launch = good
    assert supervisor.exited()["code"] == Exit.BAD_PLAN
    supervisor.zygote.tell({"t": "fork", "id": "x", "env": {}, "first_byte": None})
    assert supervisor.exited()["code"] == Exit.BAD_LAUNCH
    assert b"iris-00001" in (supervisor.folder / "log").read_bytes()


def test_workers_die_with_their_zygote(folder: Path, keys: Keys) -> None:
    supervisor = Supervisor(folder, launch_of(folder, keys))
    try:
        worker, pid = supervisor.fork()
        worker.until("ready")
        handle = os.pidfd_open(pid)
        supervisor.process.send_signal(signal.SIGKILL)
        assert select.select([handle], [], [], WAIT_S)[0]
        os.close(handle)
        worker.rest()
    finally:
        supervisor.close()


def spares(supervisor: Supervisor) -> list[int]:
    children = psutil.Process(supervisor.process.pid).children()
    return [child.pid for child in children if child.name() == "spare"]


def the_spare(supervisor: Supervisor) -> int:
    """Wait until there is one."""
    end = time.monotonic() + WAIT_S
    while not (found := spares(supervisor)):
        assert time.monotonic() < end, "no worker is made in advance"
        time.sleep(0.01)
    (only,) = found
    return only


def ask(supervisor: Supervisor, keys: Keys) -> None:
    with socket.create_connection(("127.0.0.1", supervisor.port), WAIT_S) as sock:
        sock.sendall(request(keys))
        assert answer(sock.makefile("rb")) == [0]


def test_a_spare_becomes_the_worker_and_the_next_follows_its_answer(
    supervisor: Supervisor, keys: Keys
) -> None:
    ready = the_spare(supervisor)
    first, pid = supervisor.fork()
    assert pid == ready
    first.until("ready")
    second, other = supervisor.fork()  # none is left while the first has not answered
    assert other != ready
    second.until("ready")
    ask(supervisor, keys)
    assert the_spare(supervisor) not in (pid, other)


def test_a_spare_that_died_costs_nobody_a_request(supervisor: Supervisor, keys: Keys) -> None:
    dead = the_spare(supervisor)
    os.kill(dead, signal.SIGKILL)
    worker, pid = supervisor.fork()
    if pid == dead:  # it was given the launch before it was gone, and its end is told as any other
        assert supervisor.exited()["signal"] == signal.SIGKILL
        worker, pid = supervisor.fork()
    ask(supervisor, keys)
    worker.until("first_answer")
    assert the_spare(supervisor) not in (dead, pid)


def test_a_spare_holds_nothing_of_a_worker_and_ends_with_its_zygote(
    folder: Path, keys: Keys
) -> None:
    supervisor = Supervisor(folder, launch_of(folder, keys))
    try:
        worker, _ = supervisor.fork()
        worker.until("ready")
        ask(supervisor, keys)
        spare = psutil.Process(the_spare(supervisor))
        end = time.monotonic() + WAIT_S
        while spare.net_connections(kind="tcp"):  # its rehearsal's own
            assert time.monotonic() < end
            time.sleep(0.01)
        supervisor.process.send_signal(signal.SIGKILL)
        spare.wait(WAIT_S)
    finally:
        supervisor.close()
