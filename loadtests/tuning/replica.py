"""An endpoint's copy of one replica, on which is measured: callers meet neither load nor settings.

A tag would not do: revisions of an endpoint share its workers, its settings and its replicas.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import httpx

from controlplane.client import Client, ClientError, Endpoint, NotFound
from loadtests.plan import PlanError

NAME_LENGTH: Final = 40
SUFFIX: Final = "-tune"
# It goes to zero soon, and stays there if whoever measures is killed.
ALONE: Final[Mapping[str, Any]] = {
    "min_scale": 0, "max_scale": 1, "metric": "concurrency", "target": 1000.0,
    "window_s": 6, "scale_to_zero_grace_period_s": 0,
}  # fmt: skip
METRICS_WITHIN_S: Final = 5.0
CPU: Final = "process_cpu_seconds_total "
REQUESTS: Final = "kubeserve_requests_total{"


class Used(NamedTuple):
    """What a replica used since it began."""

    cpu_s: float
    requests: float


class Replica:
    """A copy while it is there. `notes`: what whoever asked for it should know."""

    def __init__(self, client: Client, of: Endpoint) -> None:
        self._client, self._of = client, of
        self.name = of.name[: NAME_LENGTH - len(SUFFIX)] + SUFFIX
        self.notes: list[str] = []

    def __enter__(self) -> Self:
        try:
            self._client.endpoint(self.name)
        except NotFound:
            pass
        else:
            raise PlanError(
                f"The copy that is measured would be called {self.name}, and that is there already:"
                " another tuning runs, or one was killed. Next: kubeserve endpoints "
                f"{self.name}, then kubeserve delete {self.name}"
            )
        served = max(self._of.revisions, key=lambda one: one.percent)
        try:
            self._client.deploy(
                served.model, served.version, self.name, scaling=ALONE, container_concurrency=0,
                request_timeout_s=float(self._of.raw["timeout_s"]),
            )  # fmt: skip
        except BaseException:
            self._delete()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._delete()

    def _delete(self) -> None:
        try:
            self._client.delete_endpoint(self.name)
        except NotFound:
            pass
        except ClientError as error:
            self.notes.append(f"The copy is still there ({error}): kubeserve delete {self.name}")

    def set(self, scaling: Mapping[str, object], container_concurrency: int = 0) -> None:
        """Give it other settings, and wait until it has them; it stays one replica."""
        one = {**scaling, "max_scale": 1, "min_scale": 1}
        self._client.configure(self.name, scaling=one, container_concurrency=container_concurrency)
        self._client.wait_for_endpoint(self.name)

    def used(self) -> Used | None:
        """Read what its replica used so far; None: it does not tell."""
        endpoint = self._client.endpoint(self.name)
        url = str(endpoint.raw.get("local_url") or endpoint.url)
        try:
            # On a cluster the metrics of an endpoint are for who may call it.
            headers = {"authorization": f"Bearer {self._client.token(self.name)}"}
            answer = httpx.get(
                f"{url}/metrics", headers=headers, timeout=METRICS_WITHIN_S, trust_env=False
            )
        except (httpx.HTTPError, httpx.InvalidURL, ClientError):
            return None
        return used_in(answer.text) if answer.is_success else None


def used_in(text: str) -> Used | None:
    """Read Prometheus' text; None: it does not tell of processor time."""
    cpu_s, requests = None, 0.0
    for line in text.splitlines():
        if line.startswith(CPU):
            cpu_s = float(line.removeprefix(CPU))
        elif line.startswith(REQUESTS):
            requests += float(line.rpartition(" ")[2])
    return None if cpu_s is None else Used(cpu_s, requests)
