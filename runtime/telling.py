"""How a pod tells what it counted: one small object of its own in its tenant's object store.

The pod may read the store and not write it. What it writes with is a form that the control plane
signed and put below the tenant's prefix: for objects of up to two kilobytes below `usage/TENANT/`,
for some hours. The object holds counts since the process began, so one that is lost, late or
written twice changes nothing.
"""

import json
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from runtime.fetch import Source, asked, connected, read_whole, source_from
from runtime.trying import Trying
from runtime.usage import Counted

EVERY_S: Final = 15.0
# A pod that is new may be a rollout's candidate, which is judged by what it tells.
WHILE_NEW_S: Final = 3.0
NEW_S: Final = 600.0
FORM: Final = "usage.json"  # below the tenant's prefix
FORM_S: Final = 3600.0  # so long one is used before it is read again
MOST_BYTES: Final = 16 * 1024
LAST_PAUSE_S: Final = 0.5


class Form(NamedTuple):
    """Fields of a signed POST policy, for keys that begin with `prefix`."""

    prefix: str
    fields: dict[str, str]

    def write(self) -> bytes:
        """Give what `read_form` reads back."""
        return json.dumps(self._asdict()).encode()


def read_form(document: bytes) -> Form:
    """Read a form; raises ValueError."""
    found = json.loads(document)
    try:
        fields = {str(name): str(value) for name, value in found["fields"].items()}
        return Form(str(found["prefix"]), fields)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{FORM} is no form: {error!r}") from error


class Telling:
    """Tells one process's counters under a name that no other process has.

    Raises LaunchError when it is not told where.
    """

    def __init__(self, env: Mapping[str, str], endpoint: str, count: Callable[[], Counted]) -> None:
        self._writer = Writer(env, FORM)
        # Kubernetes gives a container the name of its pod as the host's; another container of the
        # same pod, after a crash, counts from nothing.
        self._name = f"{endpoint}/{socket.gethostname()}/{uuid.uuid4().hex}"
        self._count = count
        self._told = Counted(0, 0, 0.0)
        self._trying = Trying("usage cannot be told", "usage is told again")

    def run(self, ending: threading.Event) -> None:
        """Tell in a thread of its own; once `ending` is set, until it is taken.

        Each 3 s in the first ten minutes, each 15 s later on.
        """
        ended, new_until = ending.is_set(), time.monotonic() + NEW_S
        while True:
            taken = self._trying(self.tell)
            if ended and taken:
                return
            if ended:
                time.sleep(LAST_PAUSE_S)
            else:
                # Pods that started together do not tell together.
                every_s = WHILE_NEW_S if time.monotonic() < new_until else EVERY_S
                ended = ending.wait(every_s * random.uniform(0.8, 1.0))  # noqa: S311

    def tell(self) -> bool:
        """Write the counters if they grew; tells whether they did. Raises OSError, ValueError."""
        counted = self._count()
        if counted == self._told:
            return False
        self._writer.write(self._name, json.dumps(counted.to_json()).encode())
        self._told = counted
        return True


class Refused(OSError):
    """The store takes nothing with this form."""


class Writer:
    """Writes by a form, which is read anew each hour, and where it was refused.

    form  its name below the tenant's prefix. Raises LaunchError when it is not told where
    """

    def __init__(self, env: Mapping[str, str], form: str) -> None:
        self._source: Source = source_from(env, "KUBESERVE_KEYS_FROM")
        self._named, self._form_at = form, 0.0
        self._form: Form | None = None

    def write(self, name: str, content: bytes) -> None:
        """Write `name` below the form's prefix; raises OSError, HTTPException, ValueError."""
        form = self._current()
        try:
            send(self._source, form, name, content)
        except Refused:
            self._form = None  # it is over, or of a key that was changed: read the next one
            raise

    def _current(self) -> Form:
        now = time.monotonic()
        if self._form is None or now - self._form_at > FORM_S:
            with asked(self._source, self._named, {}) as response:
                document = read_whole(response, self._named, MOST_BYTES)
            self._form, self._form_at = read_form(document), now
        return self._form


def send(source: Source, form: Form, name: str, content: bytes) -> None:
    """Write `name` below the form's prefix; raises OSError, HTTPException, NoArtifact, Refused."""
    boundary = uuid.uuid4().hex
    body = _multipart({**form.fields, "key": form.prefix + name}, content, boundary)
    headers = {
        "host": urlsplit(source.url).netloc,
        "content-type": f"multipart/form-data; boundary={boundary}",
        "connection": "close",
    }
    with connected(source) as connection:
        connection.request("POST", f"/{source.bucket}", body, headers)
        with connection.getresponse() as response:
            if response.status in (400, 401, 403):
                raise Refused(f"the object store answered {response.status} to usage")
            if response.status not in (200, 201, 204):
                raise OSError(f"the object store answered {response.status} to usage")


def _multipart(fields: Mapping[str, str], content: bytes, boundary: str) -> bytes:
    """Write a form; the file comes last, as S3 reads nothing behind it."""
    head = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    file = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="usage"\r\n'
        "Content-Type: application/json\r\n\r\n"
    )
    return f"{head}{file}".encode() + content + f"\r\n--{boundary}--\r\n".encode()
