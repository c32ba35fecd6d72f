"""A real worker for the runtime's tests: plans, keys and tokens in a folder, processes that end."""

import base64
import contextlib
import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from controlplane.builder.lower.registry import new_draft
from runtime.launch import Launch, RevisionLaunch
from runtime.plan import format as plan_format
from runtime.plan.graph import build
from runtime.plan.plan import signature_of

ISSUER = "http://issuer.test"
AUDIENCE = f"{ISSUER}/endpoints/0b9e"
ROW = [5.1, 3.5, 1.4, 0.2]


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Keys:
    """A signing key, and the file that workers read it from."""

    def __init__(self, folder: Path) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.file = folder / "keys.json"
        numbers = self.private.public_key().public_numbers()
        jwk = {"kty": "EC", "crv": "P-256", "kid": "k1", "use": "sig", "alg": "ES256"}
        jwk |= {"x": b64(numbers.x.to_bytes(32)), "y": b64(numbers.y.to_bytes(32))}
        self.file.write_text(json.dumps({"keys": [jwk], "revoked": {"jtis": {}, "clients": {}}}))

    def listed(self, at: int, **revoked: Any) -> bytes:
        """Sign the keys file as pods get it that have no volume."""
        document = {**json.loads(self.file.read_text()), "iat": at}
        document["revoked"] |= revoked
        return self._signed("keys+jwt", document).encode()

    def token(self, **changes: Any) -> str:
        now = int(time.time())  # noqa: TID251  (tokens are about wall time)
        claims = {"iss": ISSUER, "sub": "client:c1", "client_id": "c1", "aud": AUDIENCE}
        claims |= {"exp": now + 600, "iat": now, "jti": "j1", "scope": "predict", "tenant": "acme"}
        return self._signed("at+jwt", claims | changes)

    def _signed(self, kind: str, payload: dict[str, Any]) -> str:
        head = {"alg": "ES256", "typ": kind, "kid": "k1"}
        parts = [b64(json.dumps(part).encode()) for part in (head, payload)]
        signature = self.private.sign(".".join(parts).encode(), ec.ECDSA(SHA256()))
        r, s = utils.decode_dss_signature(signature)
        return ".".join([*parts, b64(r.to_bytes(32) + s.to_bytes(32))])


def digest_of(path: Path | str) -> str:
    """Give the sha256 of a file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def linear_plan(path: Path, *, bias: float = 0.0, cost: tuple[float, float] = (10.0, 0.05)) -> Path:
    """Write the plan of a logistic regression over iris.

    bias  added to the first class's score, so that two plans answer differently
    cost  microseconds a call and a row, as if measured
    """
    x, y = load_iris(return_X_y=True)
    fitted = LogisticRegression(max_iter=1000).fit(x, y)
    fitted.intercept_[0] += bias
    return plan_of(path, fitted, ("sepal_l", "sepal_w", "petal_l", "petal_w"), cost=cost)


def plan_of(
    path: Path, fitted: Any, names: Sequence[str], *, cost: tuple[float, float] = (10.0, 0.05)
) -> Path:
    """Write the plan of a fitted estimator whose columns have these names."""
    draft = new_draft()
    spec = draft.node(fitted)
    with path.open("wb") as file:
        plan_format.write(
            file,
            graph=spec,
            tensors=draft.tensors,
            signature=signature_of(build(spec, draft.tensors), names).to_json(),
            cost={"c0_us": cost[0], "c1_us": cost[1]},
            provenance={},
        )
    return path


def launch_of(folder: Path, keys: Keys, **changes: Any) -> Launch:
    """Describe an endpoint `iris` with one revision."""
    plan = linear_plan(folder / "iris.plan")
    revision = RevisionLaunch("iris-00001", "iris", 1, str(plan), digest_of(plan))
    launch = Launch("acme", "iris", ISSUER, AUDIENCE, str(keys.file), (revision,), port=0)
    return launch._replace(**changes)


@dataclass
class Served:
    """A running worker."""

    process: subprocess.Popen[bytes]
    port: int
    keys: Keys
    log: Path

    def connect(self) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def ask(
        self, path: str = "/predict", body: Any = None, method: str | None = None, **headers: str
    ) -> tuple[int, dict[str, str], Any]:
        """Make one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            payload = body if body is None or isinstance(body, bytes) else json.dumps(body)
            all_headers = {"authorization": f"Bearer {self.keys.token()}"}
            all_headers |= {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(
                method or ("GET" if body is None else "POST"), path, payload, all_headers
            )
            return answer_of(connection.getresponse())
        finally:
            connection.close()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


def answer_of(response: http.client.HTTPResponse) -> tuple[int, dict[str, str], Any]:
    raw = response.read()
    headers = {name.lower(): value for name, value in response.getheaders()}
    is_json = "json" in headers.get("content-type", "")
    return response.status, headers, json.loads(raw) if is_json and raw else raw


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(folder: Path, keys: Keys | None = None, **changes: Any) -> Iterator[Served]:
    """Run `python -m runtime`, wait until it is ready, and end it whatever happens."""
    keys = keys or Keys(folder)
    launch = launch_of(folder, keys, port=free_port(), **changes)
    with served(launch, keys, folder / "worker.log") as worker:
        yield worker


@contextlib.contextmanager
def served(
    launch: Launch,
    keys: Keys,
    log: Path,
    env: Mapping[str, str] | None = None,
    descriptors: int | None = None,
) -> Iterator[Served]:
    """The same of any launch; `env` is what it is told beside, `descriptors` what it may open."""
    limited = ["sh", "-c", f'ulimit -n {descriptors} && exec "$@"', "sh"] if descriptors else []
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*limited, sys.executable, "-m", "runtime"],
            env={**os.environ, **launch.to_env(), **(env or {})},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    worker = Served(process, launch.port, keys, log)
    try:
        wait_ready(worker)
        yield worker
    finally:
        process.kill()
        process.wait()


def wait_ready(served: Served, within_s: float = 20.0) -> None:
    end = time.monotonic() + within_s
    while True:
        if served.process.poll() is not None:
            raise RuntimeError(f"the worker ended: {served.log.read_text()}")
        with contextlib.suppress(OSError):
            if served.ask("/readyz")[0] == 200:
                return
        if time.monotonic() > end:
            raise TimeoutError("the worker is not ready")
        time.sleep(0.02)
