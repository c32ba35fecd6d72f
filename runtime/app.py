"""What is not a prediction: health, metrics, metadata, 404, 405."""

from collections.abc import Callable
from functools import partial
from typing import Final

import orjson

from runtime import metadata, resource
from runtime.faults import problem_of
from runtime.heads import Head
from runtime.launch import Launch
from runtime.metrics import Metrics
from runtime.problems import MethodNotAllowed, NotFound, NotImplementedHere, Starting
from runtime.responses import answer, problem_answer, without_body
from runtime.revisions import Revision, Revisions
from runtime.routes import routes
from runtime.tokens import TokenVerifier

Answer = tuple[int, dict[str, str], bytes]  # status, headers, body

TEXT: Final = {"content-type": "text/plain; version=0.0.4; charset=utf-8"}
METRICS: Final = "/metrics"
READ: Final = ("GET", "HEAD", "OPTIONS")
POST: Final = ("POST", "OPTIONS")
ANY: Final = ("GET", "HEAD", "POST", "OPTIONS")
# Of RFC 9110 and 5789; who knows a method and does not take it says 405, who does not know it 501.
KNOWN: Final = frozenset({*ANY, "PUT", "DELETE", "CONNECT", "TRACE", "PATCH"})


class App:
    """Answers at once, from memory. `is_ready` tells whether predictions would be answered now."""

    def __init__(
        self,
        launch: Launch,
        revisions: Revisions,
        tokens: TokenVerifier,
        metrics: Metrics,
        is_ready: Callable[[], bool],
    ) -> None:
        self._launch, self._tokens = launch, tokens
        self._metrics, self._is_ready = metrics, is_ready
        self._predictions = {path.decode() for path in routes(launch)}
        self._versions = [str(revision.info.version) for revision in revisions.all]
        self._open: dict[str, Callable[[], Answer]] = {
            "/": lambda: document({"status": "alive"}),  # what kserve's client asks of V1
            "/livez": lambda: plain(b"alive"),
            "/readyz": self._ready,
            "/v2/health/live": lambda: document({"live": True}),
            "/v2/health/ready": self._ready,
            resource.WELL_KNOWN: lambda: document(
                resource.endpoint(launch.issuer, launch.audience)
            ),
        }
        self._guarded: dict[str, Callable[[], Answer]] = {
            "/v2": lambda: document(metadata.server()),
            "/v2/models/stats": partial(self._statistics, revisions.all),
            "/v1/models": lambda: document({"models": [launch.endpoint]}),
            f"/v1/models/{launch.endpoint}": self._model_v1,
        }
        # On a cluster an ingress leads strangers here; on one machine, whoever is on it.
        self._metrics_open = not launch.chosen_before
        self._guarded[METRICS] = lambda: (200, TEXT, metrics.text())
        self._posted: dict[str, Callable[[], Answer]] = {"/v2/repository/index": self._index}
        most = max(revisions.all, key=lambda revision: revision.launch.percent)
        model = f"/v2/models/{launch.endpoint}"
        self._describe(model, most, revisions.all)
        for revision in revisions.all:
            path = f"{model}/versions/{revision.info.version}"
            self._describe(path, revision, (revision,))

    def _describe(self, path: str, revision: Revision, counted: tuple[Revision, ...]) -> None:
        """Serve what is asked of a model or of one of its versions."""
        self._guarded |= {
            path: partial(self._model_v2, revision),
            f"{path}/ready": self._ready,
            f"{path}/config": partial(self._config, revision),
            f"{path}/stats": partial(self._statistics, counted),
        }

    def answer(self, head: Head, end: bytes) -> bytes:
        """Give the whole answer; `end` is what its head says of the connection."""
        try:
            status, headers, body = self._answer(head)
        except Exception as error:  # noqa: BLE001  (the edge: every error becomes an answer here)
            problem = problem_of(error, None, head.request_id, trace_id=head.trace)
            self._metrics.refused[problem.status] += 1
            written = problem_answer(problem, end=end)
        else:
            written = answer(status, headers, body, end)
        return without_body(written) if head.method == b"HEAD" else written

    def _answer(self, head: Head) -> Answer:
        path, method = head.path.decode("utf-8", "replace"), head.method.decode("ascii")
        if method not in KNOWN:
            raise NotImplementedHere(f"The method {method} is not known here.")
        if path == "*":  # of OPTIONS alone: what the server takes anywhere
            return 204, {"allow": ", ".join(ANY)}, b""
        allowed = READ if path in self._open or path in self._guarded else self._posts(path)
        if method == "OPTIONS":
            return 204, {"allow": ", ".join(allowed)}, b""
        if method not in allowed:
            raise MethodNotAllowed(
                f"{path} takes {', '.join(allowed)}, not {method}.", allow=list(allowed)
            )
        if path in self._open:
            return self._open[path]()
        if path == METRICS and (self._metrics_open or self._tokens.may_scrape(head.authorization)):
            return self._guarded[path]()
        self._tokens.verify(head.authorization)
        return (self._posted if method == "POST" else self._guarded)[path]()

    def _posts(self, path: str) -> tuple[str, ...]:
        if path in self._predictions or path in self._posted:
            return POST
        endpoint = self._launch.endpoint
        raise NotFound(
            f"There is nothing at {path[:200]}. Predictions: POST /predict, "
            f"/v1/models/{endpoint}:predict or /v2/models/{endpoint}/infer."
        )

    def _ready(self) -> Answer:
        if not self._is_ready():
            raise Starting("This replica does not take requests now.", retry_after_s=1)
        return document({"ready": True})

    def _model_v1(self) -> Answer:
        return document({"name": self._launch.endpoint, "ready": self._is_ready()})

    def _model_v2(self, revision: Revision) -> Answer:
        return of(revision, metadata.model(self._launch.endpoint, revision, self._versions))

    def _config(self, revision: Revision) -> Answer:
        return of(revision, metadata.config(self._launch.endpoint, revision))

    def _statistics(self, revisions: tuple[Revision, ...]) -> Answer:
        return document(metadata.statistics(self._launch.endpoint, revisions))

    def _index(self) -> Answer:
        ready = self._is_ready()
        return document(metadata.index(self._launch.endpoint, self._versions, ready=ready))


def plain(text: bytes) -> Answer:
    """Answer with text."""
    return 200, {"content-type": "text/plain; charset=utf-8"}, text


def document(content: object) -> Answer:
    """Answer with JSON."""
    return 200, {"content-type": "application/json"}, orjson.dumps(content)


def of(revision: Revision, content: object) -> Answer:
    """Answer with JSON about a revision."""
    status, headers, body = document(content)
    return status, {**headers, "k-revision": revision.info.revision}, body
