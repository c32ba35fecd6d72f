"""A running KubeServe as its users see it, whatever engine is behind it."""

import contextlib
import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import joblib

from controlplane.client import Client

WITHIN_S = 90.0


@dataclass
class Platform:
    """`engine` names it, `client` is an administrator's, `short` scales to zero soonest.

    home  the folder of its control plane, where that runs on this machine
    """

    engine: str
    client: Client
    client_id: str
    client_secret: str
    ingress: str | None = None
    home: Path | None = None
    short: dict[str, Any] = field(
        default_factory=lambda: {"window_s": 6, "scale_to_zero_grace_period_s": 0}
    )

    def push(self, model: Any, name: str) -> int:
        """Upload a fitted model; gives the number of its version."""
        file = io.BytesIO()
        joblib.dump(model, file)
        file.seek(0)
        return self.client.push(file, name).number

    def token(self, audience: str | None = None) -> str:
        """Sign in as a program would."""
        form = {"grant_type": "client_credentials"} | ({"resource": audience} if audience else {})
        answer = httpx.post(
            f"{self.client.url}/oauth2/token",
            data=form,
            auth=(self.client_id, self.client_secret),
            trust_env=False,
        )
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    @contextlib.contextmanager
    def caller(self, name: str, **headers: str) -> Iterator[httpx.Client]:
        """Give a plain HTTP client of an endpoint that holds a token for it."""
        endpoint = self.client.endpoint(name)
        assert endpoint.url
        base, host = endpoint.url, {}
        if self.ingress is not None:
            base, host = self.ingress, {"host": urlsplit(endpoint.url).netloc}
        signed = {"authorization": f"Bearer {self.token(endpoint.audience)}"}
        with httpx.Client(
            base_url=base, headers={**signed, **host, **headers}, timeout=60.0, trust_env=False
        ) as caller:
            yield caller

    def until(self, holds: Callable[[], Any], within_s: float = WITHIN_S) -> Any:
        """Wait for a condition of the running system; gives what it gave."""
        deadline = time.monotonic() + within_s
        while not (found := holds()):
            assert time.monotonic() < deadline, f"not within {within_s:g} s"
            time.sleep(0.1)
        return found

    def at_zero(self, name: str) -> bool:
        """Tell whether no replica of an endpoint runs."""
        return bool(self.client.endpoint(name).replicas == 0)


def rows(x: Any) -> bytes:
    """Give the body of a V1 request."""
    return json.dumps({"instances": [list(map(float, row)) for row in x]}).encode()
