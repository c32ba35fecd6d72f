"""What a build in a pod asks and is answered: both directions, and what is neither."""

import json

import pytest

from controlplane.builder.asking import MOST_BYTES, Answer, Question, here
from controlplane.builder.needs import Needs, Recipe, Wheel
from controlplane.builder.validate import Untrusted
from runtime.archive import Archive, Part

WHEEL = Wheel("own", "own-1.0-py3-none-any.whl", "a" * 64)
QUESTION = Question("1.3.2", Needs(True, ("toolz>=1",), (WHEEL,)), here())
PART = Part("the environment", Archive("b" * 64, 10, 20), True)


def test_a_question_is_read_as_it_was_asked() -> None:
    assert Question.read(QUESTION.write()) == QUESTION
    assert QUESTION.place["installed"]["numpy"]


def test_what_is_no_question_is_a_report_or_nothing() -> None:
    for raw in (b"", b"{", b"[]", b'{"format": 1, "outcome": "plan"}', b"[" * 100_000, b"\xff"):
        assert Question.read(raw) is None


@pytest.mark.parametrize(
    "change",
    [
        {"version": None},
        {"version": "1" * 61},
        {"place": []},
        {"bundle": []},
        {"bundle": {"requirements": ["--index-url=http://evil"], "wheels": []}},
        {"bundle": {"requirements": [], "wheels": [{"name": "a", "file": "../a", "sha256": "b"}]}},
        {"bundle": {"requirements": [], "wheels": {}}},
    ],
)
def test_nothing_of_a_question_is_believed(change: dict[str, object]) -> None:
    document = json.loads(QUESTION.write())
    document["asks"].update(change)
    with pytest.raises(Untrusted):
        Question.read(json.dumps(document).encode())


def test_a_large_question_is_refused() -> None:
    with pytest.raises(Untrusted):
        Question.read(QUESTION.write() + b" " * MOST_BYTES)


def test_an_answer_is_read_as_it_was_given() -> None:
    line = "toolz==1.0 --hash=sha256:" + "c" * 64
    recipe = Recipe("1.3.2", (line,), (WHEEL,), (line,))
    for answer in (
        Answer(((PART, "http://store/x?signed"),), "1.3.2", recipe),
        Answer(refused=("there is none", "ask")),
        Answer(),
    ):
        assert Answer.read(answer.write()) == answer
    with pytest.raises(ValueError, match="http address"):
        Answer.read(Answer(((PART, "file:///etc/passwd"),), "1.3.2").write())
