"""What is not a prediction, as an ASGI application: health, metrics, metadata, 404, 405."""

from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import Any, Final

import orjson

from runtime.launch import Launch
from runtime.metrics import Metrics
from runtime.plan.signature import Kind, Signature
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
VERSION: Final = "1"  # of this interface
READ: Final = ("GET", "HEAD", "OPTIONS")
ANY: Final = ("GET", "HEAD", "POST", "OPTIONS")
# Of RFC 9110 and 5789; who knows a method and does not take it says 405, who does not know it 501.
KNOWN: Final = frozenset({*ANY, "PUT", "DELETE", "CONNECT", "TRACE", "PATCH"})
KINDS: Final = {Kind.NUMBER: "FP64", Kind.STRING: "BYTES", Kind.ANY: "BYTES"}


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
        self._launch, self._revisions, self._tokens = launch, revisions, tokens
        self._metrics, self._is_ready = metrics, is_ready
        self._predictions = {path.decode() for path in routes(launch)}
        model_v2 = f"/v2/models/{launch.endpoint}"
        self._open: dict[str, Callable[[], Answer]] = {
            "/livez": lambda: plain(b"alive"),
            "/readyz": self._ready,
            "/metrics": lambda: (200, TEXT, metrics.text()),
            "/v2/health/live": lambda: document({"live": True}),
            "/v2/health/ready": self._ready,
        }
        self._guarded: dict[str, Callable[[], Answer]] = {
            "/v2": lambda: document({"name": "kubeserve", "version": VERSION, "extensions": []}),
            model_v2: self._model_v2,
            f"{model_v2}/ready": self._ready,
            f"/v1/models/{launch.endpoint}": self._model_v1,
        }
        for revision in revisions.all:
            path = f"{model_v2}/versions/{revision.info.version}"
            self._guarded[path] = partial(metadata, launch.endpoint, revision)
            self._guarded[f"{path}/ready"] = self._ready

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
        return self._guarded[path]()

    def _posts(self, path: str) -> tuple[str, ...]:
        if path in self._predictions:
            return ("POST", "OPTIONS")
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

    def _model_v2(self) -> Answer:
        most = max(self._revisions.all, key=lambda revision: revision.launch.percent)
        return metadata(self._launch.endpoint, most)


def plain(text: bytes) -> Answer:
    """Answer with text."""
    return 200, {"content-type": "text/plain; charset=utf-8"}, text


def document(content: object) -> Answer:
    """Answer with JSON."""
    return 200, {"content-type": "application/json"}, orjson.dumps(content)


def metadata(endpoint: str, revision: Revision) -> Answer:
    """Describe what a revision takes and gives, in the words of the Open Inference Protocol."""
    signature: Signature = revision.backend.signature
    if signature.numeric:
        inputs = [{"name": "input", "datatype": "FP64", "shape": [-1, len(signature.columns)]}]
    else:
        inputs = [
            {"name": column.name, "datatype": KINDS[column.kind], "shape": [-1]}
            for column in signature.columns
        ]
    outputs = [
        {
            "name": output.name,
            "datatype": output.datatype,
            "shape": [-1] if output.width is None else [-1, output.width],
        }
        for output in signature.outputs
    ]
    status, headers, body = document(
        {
            "name": endpoint,
            "versions": [str(revision.info.version)],
            "platform": "kubeserve",
            "inputs": inputs,
            "outputs": outputs,
            "revision": revision.info.revision,
            "model": revision.info.model,
            "signature": signature.to_json(),
        }
    )
    return status, {**headers, "k-revision": revision.info.revision}, body
