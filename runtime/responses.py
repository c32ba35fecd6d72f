"""Answers as bytes: status line, headers, problem documents. No sockets."""

from collections.abc import Mapping
from time import gmtime, strftime
from typing import Final

import orjson

from runtime.codecs.v2_binary import HEADER, Parts
from runtime.problems import Forbidden, MethodNotAllowed, Problem, Unauthenticated

OK: Final = 200
NO_CONTENT: Final = 204
JSON: Final = b"application/json"
RAW: Final = b"application/octet-stream"
PROBLEM: Final = b"application/problem+json"
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
CLOSE: Final = b"connection: close\r\n"
KEEP_ALIVE: Final = b"connection: keep-alive\r\n"  # HTTP/1.0 clients need to read it
# Browsers are to believe what an answer says it is, and to keep no answer.
NOSNIFF: Final = "x-content-type-options: nosniff\r\n"
PRIVATE: Final = f"{NOSNIFF}cache-control: no-store\r\n"


def answer(status: int, headers: Mapping[str, str], body: bytes, end: bytes = b"") -> bytes:
    """Write a whole answer; it carries its date, and its length unless it can have no body."""
    lines = [f"HTTP/1.1 {status} {'OK' if status == OK else phrase(status)}\r\n"]
    lines += [f"{name}: {value}\r\n" for name, value in headers.items()]
    lines.append(f"{PRIVATE}date: {now()}\r\n")
    if status != NO_CONTENT:
        lines.append(f"content-length: {len(body)}\r\n")
    return "".join(lines).encode("latin-1") + end + b"\r\n" + body


def phrase(status: int) -> str:
    """Give the words of RFC 9110 for a status."""
    # Only here: its table of sixty statuses is made at the import, and a first answer is 200.
    from http import HTTPStatus

    return HTTPStatus(status).phrase


def without_body(answer: bytes) -> bytes:
    """Cut an answer to what one to HEAD is."""
    return answer[: answer.index(b"\r\n\r\n") + 4]


def prefix(revision: str, date: str) -> bytes:
    """Write the head of a prediction up to the value of its length, which changes each time."""
    return (
        f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{NOSNIFF}"
        f"k-revision: {revision}\r\ndate: {date}\r\ncontent-length: "
    ).encode("latin-1")


def parts_head(prefix: bytes, body: Parts, connection: bytes = b"") -> bytes:
    """Write the head of a prediction that is no plain JSON; `prefix` is that of one which is."""
    lines = [b"%d\r\n" % body.size]
    if body.head_bytes is not None:
        prefix = prefix.replace(JSON, RAW, 1)
        lines.append(b"%b: %d\r\n" % (HEADER.encode(), body.head_bytes))
    if body.coding is not None:
        lines.append(b"content-encoding: %b\r\nvary: accept-encoding\r\n" % body.coding.encode())
    return b"".join([prefix, *lines, connection, b"\r\n"])


def problem_headers(problem: Problem) -> dict[str, str]:
    """Give the headers a problem needs beside its own."""
    found = {"content-type": PROBLEM.decode(), **problem.headers()}
    if isinstance(problem, Unauthenticated):
        found["www-authenticate"] = problem.challenge
    if isinstance(problem, Forbidden) and "scope" in problem.members:
        scope = problem.members["scope"]
        found["www-authenticate"] = f'Bearer error="insufficient_scope", scope="{scope}"'
    if isinstance(problem, MethodNotAllowed):
        found["allow"] = ", ".join(problem.members.get("allow", ()))
    return found


def problem_body(problem: Problem) -> bytes:
    """Write a problem document; `error` is what clients of the Open Inference Protocol read."""
    return orjson.dumps({**problem.body(), "error": problem.detail}, default=str)


def problem_answer(
    problem: Problem,
    *,
    revision: str | None = None,
    request_id: str | None = None,
    end: bytes = b"",
) -> bytes:
    """Write a whole answer that says what went wrong."""
    headers = problem_headers(problem)
    if revision is not None:
        headers["k-revision"] = revision
    if request_id is not None:
        headers["x-request-id"] = request_id
    return answer(problem.status, headers, problem_body(problem), end)


def now() -> str:
    """Give the Date header's value; its names are English, since no worker chooses a locale."""
    return strftime("%a, %d %b %Y %H:%M:%S GMT", gmtime())
