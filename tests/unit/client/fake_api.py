"""A small control plane and endpoint behind one real socket, which can be told to misbehave."""

import base64
import hashlib
import json
import socket
import struct
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np

from runtime.codecs import ndjson, short, v1, v2, v2_binary
from runtime.codecs.request import ModelInfo
from runtime.plan.signature import Column, Kind, Output, Signature
from runtime.problems import Problem

NUMBERS = Signature((Column("x0"), Column("x1", missing=True)), (Output("predict", "FP64"),))
PENGUINS = Signature(
    (Column("mass", missing=True), Column("island", Kind.STRING)),
    (Output("predict", "BYTES"), Output("predict_proba", "FP64", 2)),
    named=True,
)
INFO = ModelInfo("iris", "iris-00001", "iris", 1)
RESET, SILENCE, CUT = "reset", "silence", "cut"


class FakeApi:
    """What was asked is in `seen`; `next_up[path]` holds misbehaviour for the next requests."""

    def __init__(self):
        self.seen, self.tokens, self.lifetime = [], [], 300
        self.next_up = {}
        self.blobs, self.states = {}, {}
        self.endpoints = {"iris": NUMBERS, "penguins": PENGUINS}
        self.address = None  # of endpoints, where it is not the API's
        self.released = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def misbehave(self, path, *what):
        self.next_up[path] = deque(what)

    def count(self, path, method="POST"):
        return sum(1 for m, p, *_ in self.seen if (m, p) == (method, path))

    def endpoint(self, name, **more):
        return {
            "name": name,
            "id": f"id-{name}",
            "url": self.address or self.url,
            "audience": f"{self.url}/endpoints/id-{name}",
            "model": name,
            "generation": 1,
            "observed_generation": 1,
            "ready": {"status": "True", "reason": "Serving", "message": "", "since": None},
            "active": {"status": "False", "reason": "Idle", "message": "", "since": None},
            "replicas": 0,
            "desired_replicas": 0,
            "requests_total": 4,
            "cold_start": {"total_ms": 9.5, "phases_ms": {"spawn": 4.0}},
            "revisions": [{"name": f"{name}-00001", "model": name, "version": 1, "percent": 100}],
            "created_at": "2026-11-23T20:00:00+00:00",
            **more,
        }


def _handler(api):  # noqa: C901  (a class per server, as http.server wants it)
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = (
            1 << 16
        )  # an answer in one piece: two would wait for each other's acknowledgement

        def log_message(self, *_):
            pass

        def serve(self):
            path = urlsplit(self.path).path
            size = int(self.headers.get("content-length", 0))
            body = self.rfile.read(size)
            if len(body) < size:
                self.close_connection = True
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            api.seen.append((self.command, path, headers, body, urlsplit(self.path).query))
            queue = api.next_up.get(path)
            if queue:
                self.misbehave(queue.popleft())
            elif path == "/oauth2/token":
                self.token(parse_qs(body.decode()), headers)
            elif headers.get("authorization", "")[7:] not in api.tokens:
                self.problem(401, "/problems/unauthenticated", "That token is not known.")
            else:
                self.route(path, headers, body)

        do_GET = do_POST = do_PUT = do_DELETE = serve

        def misbehave(self, what):
            if what == RESET:
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.close_connection = True
            elif what == CUT:
                self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
                self.close_connection = True
            elif what == SILENCE:
                api.released.wait(30)
                self.close_connection = True
            elif callable(what):
                what(self)
            else:
                self.answer(*what)

        def answer(self, status, document=None, headers=None, raw=None):
            body = raw if raw is not None else json.dumps(document).encode()
            body = b"" if status == 204 else body
            self.send_response(status)
            for name, value in {"content-type": "application/json", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def problem(self, status, kind, detail, **members):
            self.answer(status, {"type": kind, "status": status, "detail": detail, **members})

        def token(self, form, headers):
            pair = base64.b64decode(headers["authorization"].removeprefix("Basic ")).decode()
            if pair != "c-1:s%3Acret%20%2F":
                said = {"error": "invalid_client", "error_description": "Who are you?"}
                self.answer(401, said)
                return
            api.tokens.append(f"token-{len(api.tokens)}-for-{form.get('resource', ['api'])[0]}")
            self.answer(200, {"access_token": api.tokens[-1], "expires_in": api.lifetime})

        def route(self, path, headers, body):
            parts = path.strip("/").split("/")
            try:
                match parts:
                    case ["v1", "models", model, "versions"] if self.command == "POST":
                        self.upload(model, headers, body)
                    case ["v1", "models", model, "versions", number]:
                        self.answer(200, self.version(model, int(number)))
                    case ["v1", "endpoints", name] if self.command == "GET":
                        self.get_endpoint(name)
                    case ["v1", "endpoints", name, "releases" | "rollback"]:
                        self.answer(201, api.endpoint(name, generation=2))
                    case ["predict"] if headers["content-type"] == ndjson.MEDIA:
                        self.stream(body)
                    case ["predict"]:
                        self.predict(short, PENGUINS, body)
                    case ["v2", "models", name, *asked]:
                        self.v2(name, asked, headers, body)
                    case ["v1", "models", name] if self.command == "POST":
                        self.predict(v1, api.endpoints[name.removesuffix(":predict")], body)
                    case _:
                        self.answer(204)
            except Problem as problem:
                self.answer(problem.status, problem.body())

        def v2(self, name, asked, headers, body):
            if asked != ["infer"]:
                self.answer(200, {"signature": api.endpoints[name].to_json()})
                return
            where = headers.get(v2_binary.HEADER)
            raw = {} if where is None else {"head_bytes": int(where)}
            self.predict(v2, api.endpoints[name], body, **raw)

        def get_endpoint(self, name):
            if name not in api.endpoints:
                self.problem(404, "/problems/not-found", f"There is no endpoint {name}.")
                return
            self.answer(200, api.endpoint(name))

        def upload(self, model, headers, body):
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            assert headers["content-digest"] == f"sha-256=:{digest}:"
            known = [number for number, blob in api.blobs.items() if blob == body]
            number = known[0] if known else len(api.blobs) + 1
            api.blobs[number] = body
            self.answer(200 if known else 201, self.version(model, number))

        def version(self, model, number):
            states = api.states.get(number, [])
            state = states.pop(0) if len(states) > 1 else (states or ["ready"])[0]
            failed = {"reason": "It is no pickle.", "advice": "Use joblib.dump."}
            return {
                "model": model,
                "number": number,
                "state": state,
                "sha256": hashlib.sha256(api.blobs[number]).hexdigest(),
                "size_bytes": len(api.blobs[number]),
                **(failed if state == "failed" else {}),
            }

        def stream(self, body):
            query = parse_qs(urlsplit(self.path).query)
            first, outputs = int(query["first"][0]), query.get("outputs", ["predict"])[0].split(",")
            found = ndjson.decode(body.splitlines(), NUMBERS, tuple(outputs), first)
            text = b""
            if found.call is not None:
                results = {name: found.call.inputs.sum(axis=1) for name in outputs}
                text = ndjson.encode_answer(found.call.outputs, results)
            elif found.problem is not None:
                raise found.problem
            if found.problem is not None:
                found.problem.members["row"] = first + found.call.rows
                text += ndjson.encode_error(found.problem)
            self.answer(200, raw=text, headers={"content-type": ndjson.MEDIA})

        def predict(self, codec, signature, body, **raw):
            call = codec.decode(body, signature, max_rows=10_000, **raw)
            if signature is NUMBERS:
                results = {"predict": call.inputs.sum(axis=1)}
            else:
                mass, island = call.inputs.columns
                results = {
                    "predict": np.array([f"{word}!" for word in island], object),
                    "predict_proba": np.column_stack([mass, mass]),
                }
            body, headers = codec.encode_answer(call, results, INFO), {}
            if not isinstance(body, bytes):
                headers = {v2_binary.HEADER: body.head_bytes}
                body = body.join()
            self.answer(200, raw=body, headers=headers)

    return Handler
