"""What a pod counted, told to an object store that takes it, refuses it, or is away."""

import email
import json
import re
import socket
import threading

import pytest

from runtime import telling
from runtime.launch import LaunchError
from runtime.telling import Form, Refused, Telling, read_form
from runtime.usage import Answered, Counted
from tests.unit.runtime.test_fetch import Answer, Store
from tests.unit.runtime.test_renewal import settings

ENDPOINT = "6f1c1d1e-0000-4000-8000-000000000001"
FORM = Form("usage/acme/", {"policy": "cA==", "x-amz-signature": "ab"})


@pytest.fixture
def store():
    made = Store()
    yield made
    made.close()


class Counting:
    def __init__(self):
        self.now = Counted(0, 0, 0.0)

    def __call__(self):
        return self.now


@pytest.fixture
def counting():
    return Counting()


@pytest.fixture
def told(store, counting):
    return Telling(settings(store), ENDPOINT, counting)


def parts_of(posted):
    """Read a form as any reader of MIME does; gives its fields by name, in order."""
    _, kind, body = posted
    message = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    return {
        part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
        for part in message.get_payload()
    }


def test_what_was_counted_is_written_with_the_form(store, counting, told):
    assert not told.tell()  # nothing was asked: nothing is told
    counting.now = Counted(3, 9, 0.25, {"iris-00001": Answered(1, 0, {"12": 3})})
    store.next_up.append(Answer(body=FORM.write()))
    assert told.tell()
    (posted,) = store.posted
    fields = parts_of(posted)
    assert posted[0] == "/b"
    assert list(fields)[-1] == "file"
    assert fields["policy"] == b"cA=="
    answered = {"errors": 1, "refusals": 0, "latency": {"12": 3}}
    assert json.loads(fields["file"]) == {
        "requests": 3, "rows": 9, "busy_s": 0.25, "revisions": {"iris-00001": answered}
    }  # fmt: skip
    host = re.escape(socket.gethostname())
    assert re.fullmatch(rf"usage/acme/{ENDPOINT}/{host}/[0-9a-f]{{32}}", fields["key"].decode())
    assert not told.tell()
    counting.now = Counted(4, 10, 0.5)
    assert told.tell()
    assert parts_of(store.posted[1])["key"] == fields["key"]
    assert [path for path, _ in store.seen] == ["/b/tenants/acme/usage.json"]


def test_another_process_of_the_same_pod_has_another_name(store, counting):
    counting.now = Counted(1, 1, 0.0)
    for _ in range(2):
        store.next_up.append(Answer(body=FORM.write()))
        Telling(settings(store), ENDPOINT, counting).tell()
    first, second = (parts_of(posted)["key"] for posted in store.posted)
    assert first != second


def test_a_form_that_is_refused_is_read_again(store, counting, told):
    counting.now = Counted(1, 1, 0.0)
    store.next_up += [Answer(body=FORM.write())] * 2
    store.next_posted.append(403)
    with pytest.raises(Refused, match="403"):
        told.tell()
    assert told.tell()
    assert len(store.seen) == 2


def test_a_form_is_read_again_after_an_hour(store, counting, told, monkeypatch):
    monkeypatch.setattr(telling, "FORM_S", -1.0)
    store.next_up += [Answer(body=FORM.write())] * 2
    for number in (1, 2):
        counting.now = Counted(number, number, 0.0)
        assert told.tell()
    assert len(store.seen) == 2


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(404), "answered 404 for usage.json"),
        (Answer(body=b"[]"), "is no form"),
        (Answer(body=b'{"prefix": "p"}'), "is no form"),
        (Answer(body=b"{"), "Expecting"),
        (Answer(body=b" " * (telling.MOST_BYTES + 1)), "more than 16384 bytes"),
    ],
)
def test_what_is_no_form_is_said_and_nothing_is_sent(store, counting, told, answer, says):
    counting.now = Counted(1, 1, 0.0)
    store.next_up.append(answer)
    with pytest.raises((OSError, ValueError), match=says):
        told.tell()
    assert not store.posted


def test_what_the_store_did_not_take_is_told_again(store, counting, told):
    counting.now = Counted(1, 1, 0.0)
    store.next_up.append(Answer(body=FORM.write()))
    store.next_posted.append(503)
    with pytest.raises(OSError, match="503"):
        told.tell()
    assert told.tell()
    assert len(store.seen) == 1


def test_at_the_end_it_tries_until_it_is_taken(store, counting, told, monkeypatch, capsys):
    monkeypatch.setattr(telling, "LAST_PAUSE_S", 0.0)
    counting.now = Counted(2, 2, 0.0)
    store.next_up.append(Answer(body=FORM.write()))
    store.next_posted += [503, 503]
    ending = threading.Event()
    ending.set()
    told.run(ending)
    assert len(store.posted) == 3
    said = capsys.readouterr().err
    assert said.count("usage cannot be told") == 1
    assert "usage is told again" in said


def test_without_an_address_it_says_so(store, counting):
    with pytest.raises(LaunchError, match="KUBESERVE_KEYS_FROM"):
        Telling({}, ENDPOINT, counting)


def test_a_form_is_read_as_it_was_written():
    assert read_form(FORM.write()) == FORM
