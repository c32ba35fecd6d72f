"""The endpoint of a test: where it is, what it takes, and whether it takes what will be sent."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx

from controlplane.client import Client, Endpoint
from controlplane.client.home import find_account
from loadtests.plan import Plan, PlanError
from loadtests.rows import MOST_READY_BYTES, MOST_REQUESTS, Written, chunks, drawn, sample
from loadtests.wire import request
from runtime.heads import UNLOGGED
from runtime.plan.signature import Signature, from_json

FIRST_ANSWER_S = 60.0


class Unanswered(Exception):
    """The first request was not answered well. `status`: of its answer; None: there was none."""

    def __init__(self, said: str, status: int | None) -> None:
        super().__init__(said)
        self.status = status


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go, and the requests.

    host, port  to connect to; `tls`: with TLS, whose certificate must have the name `name`
    name        what the Host header says
    ready       headers and body of each different request
    """

    endpoint: Endpoint
    host: str
    port: int
    tls: bool
    name: str
    path: str
    ready: tuple[tuple[dict[str, str], bytes], ...]
    rows_from: str

    def requests(self, token: str) -> list[bytes]:
        """Write the requests as they are sent."""
        return [request(self.path, self.name, headers, body, token) for headers, body in self.ready]


class Source(Protocol):
    """Tells of an endpoint while it is tested, as the SDK's client does."""

    def endpoint(self, name: str) -> Endpoint:
        """Give it as it is now; raises the SDK's errors."""

    def decisions(self, endpoint: str) -> list[dict[str, Any]]:
        """Give what its autoscaler saw and decided lately; raises the SDK's errors."""

    def token(self, endpoint: str, *, refused: str | None = None) -> str:
        """Give a token for it."""


def find(client: Client, endpoint: Endpoint, plan: Plan, rows: Path | None) -> Target:
    """Make requests for an endpoint; raises PlanError and the SDK's errors."""
    return target_of(plan, endpoint, _signature(client, endpoint, plan.tag), rows)


def target_of(plan: Plan, endpoint: Endpoint, signature: Signature, rows: Path | None) -> Target:
    """Make requests for an endpoint; raises PlanError."""
    url = endpoint.url_of(plan.tag)
    if not url:
        missing = "" if plan.tag is None else f" for its tag {plan.tag}"
        raise PlanError(f"{plan.endpoint} has no address{missing} yet: {endpoint.ready.message}")
    # As the SDK asks: an ingress, or the runtime itself, chooses by it.
    chosen = UNLOGGED if plan.tag is None else UNLOGGED | {"knative-serving-tag": plan.tag}
    written = Written(plan.format, plan.endpoint, signature, plan.output)
    if rows is None:
        inputs, rows_from = drawn(signature, MOST_REQUESTS * plan.rows, plan.seed), "the signature"
    else:
        inputs, rows_from = sample(rows, signature), rows.name
    ready: list[tuple[dict[str, str], bytes]] = []
    size = 0
    for chunk in chunks(inputs, plan.rows, plan.seed):
        headers, body = written.one(chunk)
        ready.append((headers | chosen, body))
        size += len(ready[-1][1])
        if len(ready) >= MOST_REQUESTS or size >= MOST_READY_BYTES:
            break
    own = urlsplit(url)
    way = urlsplit(plan.address or find_account().ingress or url)
    if way.scheme not in ("http", "https") or not way.hostname:
        raise PlanError(f"address: {plan.address!r} is not one such as http://127.0.0.1:18100")
    tls = way.scheme == "https"
    port = way.port or (443 if tls else 80)
    path = own.path.rstrip("/") + written.path
    return Target(endpoint, way.hostname, port, tls, own.netloc, path, tuple(ready), rows_from)


def _signature(client: Client, endpoint: Endpoint, tag: str | None) -> Signature:
    """Give what the revision of a tag takes, or the one with the most traffic."""
    tested = [one for one in endpoint.revisions if tag in (None, one.tag)]
    revision = max(tested, key=lambda one: one.percent, default=None)
    if revision is None and tag is not None:
        raise PlanError(f"{endpoint.name} has no tag {tag}. Next: kubeserve traffic")
    if revision is None:
        raise PlanError(f"{endpoint.name} serves nothing yet. Next: kubeserve deploy MODEL")
    found = client.version(revision.model, revision.version).raw.get("signature")
    if not isinstance(found, dict):
        raise PlanError(f"{revision.model}:{revision.version} has no signature")
    return from_json(found)


def check(target: Target, token: str) -> None:
    """Send one request; raises Unanswered where it is not answered well."""
    headers, body = target.ready[0]
    scheme = "https" if target.tls else "http"
    url = f"{scheme}://{target.host}:{target.port}{target.path}"
    own = {"host": target.name, "authorization": f"Bearer {token}"}
    try:
        with httpx.Client(trust_env=False, timeout=FIRST_ANSWER_S) as http:
            answer = http.post(url, headers=headers | own, content=body)
    except httpx.HTTPError as error:
        raise Unanswered(f"nothing answers at {url}: {error}", None) from error
    if answer.is_success:
        return
    advice = ""
    if answer.status_code in (400, 422) and target.rows_from == "the signature":
        advice = ". A signature does not tell which values a model knows: give --sample FILE"
    said = f"{url} answers {answer.status_code}: {answer.text[:500]}{advice}"
    raise Unanswered(said, answer.status_code)
