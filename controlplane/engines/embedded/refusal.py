"""An answer where no worker can give one: a 503 beats a request that hangs."""

import asyncio
import contextlib
import errno
import json
import math
import socket

from runtime.problems import Problem, Starting

LINGER_S = 1.0


def refuse(listener: socket.socket, parked: list[int], why: str, retry_s: float | None) -> bool:
    """Answer 503 to everyone who waits, and hang up; False when some could not be accepted.

    retry_s  seconds after which to come again; None: only a new deploy helps
    """
    answer = _answer(Starting(why, retry_after_s=None if retry_s is None else math.ceil(retry_s)))
    waiting = [socket.socket(fileno=descriptor) for descriptor in parked]
    accepting, everyone = True, True
    while accepting:
        try:
            waiting.append(listener.accept()[0])
        except BlockingIOError:
            accepting = False
        except OSError as error:
            # A client that gave up while it waited is no reason to leave the others waiting.
            accepting = everyone = error.errno == errno.ECONNABORTED
    for connection in waiting:
        connection.setblocking(False)
        with contextlib.suppress(OSError):
            connection.send(answer)
            connection.shutdown(socket.SHUT_WR)
        # Closing over unread bytes resets the connection and can take the answer with it.
        asyncio.get_running_loop().call_later(LINGER_S, _hang_up, connection)
    return everyone


def _hang_up(connection: socket.socket) -> None:
    connection.close()


def _answer(problem: Problem) -> bytes:
    body = json.dumps(problem.body()).encode()
    headers = {
        "content-type": "application/problem+json",
        "content-length": str(len(body)),
        "connection": "close",
        **problem.headers(),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {problem.status} Service Unavailable\r\n{head}\r\n".encode() + body
