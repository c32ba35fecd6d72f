"""A generator's process: connects to a coordinator, does its job, ends with it.

python -m loadtests worker HOST:PORT
"""

# What gevent replaces is taken before it is.
import loadtests.generator  # noqa: F401  # isort: skip

import os
from typing import Any

import gevent
import gevent.os
from locust.env import Environment

from loadtests import jobs
from loadtests.users import USERS, OpenUser


def run(host: str, port: int, *, while_stdin: bool) -> None:
    """Serve one coordinator; raises SystemExit where none answers.

    while_stdin  end when standard input does: whoever started us is gone
    """
    environment = Environment(user_classes=list(USERS.values()), catch_exceptions=False)
    runner = environment.create_worker_runner(host, port)
    desk = OpenUser.desk
    desk.tell = lambda kind, data: runner.send_message(kind, data)
    for kind in (jobs.JOB, jobs.TOKEN, jobs.BURST, jobs.HALT):
        runner.register_message(kind, _listener(kind))
    if while_stdin:
        gevent.spawn(_end_with_stdin)
    runner.greenlet.join()


def _listener(kind: str) -> Any:
    def take(environment: Environment, msg: Any) -> None:  # noqa: ARG001  (Locust names them)
        OpenUser.desk.take(kind, msg.data or {})

    return take


def _end_with_stdin() -> None:
    while gevent.os.tp_read(0, 1024):
        pass
    os._exit(1)
