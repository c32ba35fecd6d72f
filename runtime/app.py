"""What is not a prediction, as an ASGI application: health, metrics, metadata, 404, 405."""

from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import Any, Final

import orjson

from runtime import metadata
from runtime.launch import Launch
from runtime.metrics import Metrics
from runtime.problems import MethodNotAllowed, NotFound, NotImplementedHere, Problem, Starting
from runtime.responses import problem_body, problem_headers
from runtime.revisions import Revision, Revisions
from runtime.routes import routes
from runtime.tokens import TokenVerifier

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Answer = tuple[int, dict[str, str], bytes]

TEXT: Final = {"content-type": "text/plain; version=0.0.4; charset=utf-8"}
READ: Final = ("GET", "HEAD", "OPTIONS")
POST: Final = ("POST", "OPTIONS")
ANY: Final = ("GET", "HEAD", "POST", "OPTIONS")
# Of RFC 9110 and 5789; who knows a method and does not take it says 405, who does not know it 501.
KNOWN: Final = frozenset({*ANY, "PUT", "DELETE", "CONNECT", "TRACE", "PATCH"})


class App:
    """The ASGI application. `is_ready` tells whether predictions would be answered now."""

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
            "/metrics": lambda: (200, TEXT, metrics.text()),
            "/v2/health/live": lambda: document({"live": True}),
            "/v2/health/ready": self._ready,
        }
        self._guarded: dict[str, Callable[[], Answer]] = {
            "/v2": lambda: document(metadata.server()),
            "/v2/models/stats": partial(self._statistics, revisions.all),
            "/v1/models": lambda: document({"models": [launch.endpoint]}),
            f"/v1/models/{launch.endpoint}": self._model_v1,
        }
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

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        try:
            status, headers, body = self._answer(scope)
        except Problem as problem:
            status, headers, body = problem.status, problem_headers(problem), problem_body(problem)
            self._metrics.refused[status] += 1
        if status != 204:
            headers = {**headers, "content-length": str(len(body))}
        raw = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, scope: Scope) -> Answer:
        path, method = scope["path"], scope["method"]
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
        self._tokens.verify(next((v for k, v in scope["headers"] if k == b"authorization"), None))
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
