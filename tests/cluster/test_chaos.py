"""The control plane dies at any moment; what it said yes to is there, and who serves goes on."""

import contextlib
import os
import random
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from controlplane.engines.knative import names
from tests.cluster.kube import Cluster
from tests.cluster.platform import outside
from tests.conformance.platform import Platform, rows
from tests.integration.test_api_registry import OCTETS, model_bytes

X, Y = load_iris(return_X_y=True)
KILLS = int(os.environ.get("TEST_KILLS", "6"))  # the keeper waits longer from kill to kill
SEED = int(os.environ.get("TEST_SEED", "20261124"))
SETTLED_S = 180.0


@pytest.fixture(scope="module")
def instance() -> str:
    return f"chaos-{uuid.uuid4().hex[:6]}"


@pytest.fixture(scope="module")
def platform(
    cluster: Cluster, runtime_image: str, builder_image: str, instance: str
) -> Iterator[Platform]:
    settings = {"instance": instance, "api_token_s": "7200", "predict_token_s": "7200"}
    with outside(cluster, runtime_image, builder_image, **settings) as running:
        for c in (1.0, 2.0):
            running.push(LogisticRegression(C=c, max_iter=500).fit(X, Y), "steady")
        for version in (1, 2):
            scaling = {**running.short, "min_scale": 1, "max_scale": 1}
            running.client.deploy("steady", version, scaling=scaling)
        yield running


def child_of_the_keeper(platform: Platform, name: str) -> int:
    """Find a child of the keeper: the API, or the database."""
    assert platform.home is not None
    keeper = int((platform.home / "keeper.pid").read_text().split()[0])
    children = Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split()
    for child in map(int, children):
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            if name in (words[-2].decode(), Path(words[0].decode()).name):
                return child
    raise ProcessLookupError(f"no {name} runs")


def alive(platform: Platform) -> bool:
    try:
        return httpx.get(f"{platform.client.url}/readyz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


class Caller:
    """Calls an endpoint all the time, as a client does that holds a token."""

    def __init__(self, platform: Platform, name: str) -> None:
        self._platform, self._name, self._ends = platform, name, threading.Event()
        self.answered, self.failed = 0, list[str]()

    @contextlib.contextmanager
    def calling(self) -> Iterator["Caller"]:
        with (
            self._platform.caller(self._name) as http,
            ThreadPoolExecutor(1) as pool,
        ):
            done = pool.submit(self._call, http)
            try:
                yield self
            finally:
                self._ends.set()
                done.result()

    def _call(self, http: httpx.Client) -> None:
        while not self._ends.wait(0.05):
            try:
                answer = http.post(f"/v1/models/{self._name}:predict", content=rows(X[:1]))
            except httpx.TransportError as error:
                self.failed.append(repr(error))
                continue
            self.answered += answer.status_code == 200
            if answer.status_code != 200:
                after = f"after {self.answered} answers"
                self.failed.append(f"{answer.status_code} {answer.text} {answer.headers} {after}")


Split = tuple[int, int]


@dataclass
class Journal:
    """What was asked for, and what was said to it.

    endpoints  name: True there, False gone, None unknown (no answer came)
    splits     of the traffic of `steady` that may be: the last one said yes to, and those after
    """

    endpoints: dict[str, bool | None] = field(default_factory=dict)
    versions: set[int] = field(default_factory=set)
    splits: set[Split] = field(default_factory=lambda: {(0, 100)})
    said_yes: int = 0

    def ask(self, http: httpx.Client, what: str, chance: random.Random) -> None:
        """Ask for one change and write down what is known afterwards."""
        known = [name for name, there in self.endpoints.items() if there]
        if what == "push":
            c = chance.uniform(0.5, 2)  # the same file again would be the same version
            answer = asked(http, "POST", "/v1/models/pushed/versions", content=model_bytes(c))
            if answer is not None:
                self.versions.add(int(answer["number"]))
        elif what == "delete" and known:
            answer = asked(http, "DELETE", f"/v1/endpoints/{known[0]}")
            self.endpoints[known[0]] = None if answer is None else False
        elif what == "traffic":
            first = chance.randrange(0, 101, 10)
            traffic = [{"version": 1, "percent": first}, {"version": 2, "percent": 100 - first}]
            answer = asked(http, "POST", "/v1/endpoints/steady/releases", json={"traffic": traffic})
            if answer is not None:
                self.splits.clear()
            self.splits.add((first, 100 - first))
        else:
            name = f"e{len(self.endpoints)}"
            answer = asked(http, "POST", f"/v1/endpoints/{name}/releases", json=RELEASE)
            self.endpoints[name] = None if answer is None else True
        self.said_yes += answer is not None


RELEASE = {
    "model": "steady", "version": 1,
    "scaling": {"window_s": 6, "scale_to_zero_grace_period_s": 0, "max_scale": 1},
}  # fmt: skip


def asked(http: httpx.Client, method: str, path: str, **how: Any) -> dict[str, Any] | None:
    """Ask once; None when no answer came, or none that says yes."""
    if "content" in how:
        how["headers"] = OCTETS
    try:
        answer = http.request(method, path, **how)
    except httpx.TransportError:
        return None
    assert answer.is_success or answer.status_code >= 500, answer.text
    if not answer.is_success:
        return None
    return dict(answer.json()) if answer.content else {}


def wait_for_a_leader(cluster: Cluster, platform: Platform) -> None:
    """Wait until somebody renews the lease: the dead one held it to its end."""
    prefix = str(platform.client.endpoint("steady").url).split(".")[1].removesuffix("default")

    def renewed() -> str:
        lease = cluster.get("-n", f"{prefix}system", "lease/kubeserve-leader")
        return str(lease["spec"]["renewTime"])

    before = renewed()
    platform.until(lambda: renewed() != before)


def test_killed_at_any_moment_it_has_what_it_said_yes_to(
    cluster: Cluster, platform: Platform, instance: str
) -> None:
    chance, journal, caller = random.Random(SEED), Journal(), Caller(platform, "steady")
    signed = {"authorization": f"Bearer {platform.token()}"}
    with (
        caller.calling(),
        httpx.Client(
            base_url=platform.client.url, headers=signed, timeout=30, trust_env=False
        ) as http,
        ThreadPoolExecutor(1) as pool,
    ):
        for number in range(KILLS):
            what = ("push", "deploy", "traffic", "delete")[number % 4]
            # Now in the request, now in what the leader does about it.
            moment = chance.uniform(0, 0.05) if chance.random() < 0.5 else chance.uniform(0.1, 4)
            done = pool.submit(journal.ask, http, what, chance)
            time.sleep(moment)
            os.kill(child_of_the_keeper(platform, "api"), signal.SIGKILL)
            done.result()
            platform.until(lambda: alive(platform))
            wait_for_a_leader(cluster, platform)
        settle(cluster, platform, instance, journal)
    assert not caller.failed, caller.failed[:5]
    print(f"{KILLS} kills, {journal.said_yes} said yes to, {caller.answered} answered, none failed")


def settle(cluster: Cluster, platform: Platform, instance: str, journal: Journal) -> None:
    """Wait until all is there and whole that must be, and nothing else."""
    client = platform.client

    def listed() -> set[str]:
        return {one.name for one in client.endpoints()} - {"steady"}

    must = {name for name, there in journal.endpoints.items() if there}
    may = {name for name, there in journal.endpoints.items() if there is not False}
    platform.until(lambda: must <= listed() <= may, SETTLED_S)
    platform.until(lambda: all(one.is_ready for one in client.endpoints()), SETTLED_S)
    if journal.versions:
        platform.until(lambda: all(one.settled for one in client.versions("pushed")), SETTLED_S)
        versions = client.versions("pushed")
        assert journal.versions <= {one.number for one in versions}
        assert {one.state for one in versions} == {"ready"}
    percent = {one.version: one.percent for one in client.endpoint("steady").revisions}
    assert (percent.get(1, 0), percent.get(2, 0)) in journal.splits
    ids = {one.id for one in client.endpoints()}

    def in_cluster(kind: str) -> set[str]:
        selector = f"{names.owned(instance)},{names.ENDPOINT}"
        found = cluster.get("-A", "-l", selector, kind)["items"]
        return {one["metadata"]["labels"][names.ENDPOINT] for one in found}

    platform.until(lambda: in_cluster("ksvc") == ids == in_cluster("secrets"), SETTLED_S)
