"""What comes back from a pod that ran a tenant's code: bounded, checked, never believed."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.builder.remote_report import FORMAT, MOST_BYTES, Sent, decode, encode, with_plan
from controlplane.builder.report import Outcome, Report
from controlplane.builder.validate import Untrusted
from runtime.plan.signature import Column, Output, Signature

MOST_PLAN = 1 << 20
SIGNATURE = Signature((Column("age"),), (Output("predict", "FP64"),), named=True)
DIGEST = "ab" * 32


def document(**changes: Any) -> dict[str, Any]:
    plain = {
        "format": FORMAT,
        "outcome": "plan",
        "plan": {"sha256": DIGEST, "size_bytes": 10},
        "exactness": "bitwise",
    }
    return plain | changes


def read(found: Any) -> Sent:
    raw = found if isinstance(found, bytes) else json.dumps(found).encode()
    return decode(raw, most_plan_bytes=MOST_PLAN)


def test_a_report_comes_back_as_it_was_written(tmp_path: Path) -> None:
    fallback = Report(
        Outcome.FALLBACK,
        sklearn_version="1.7.0",
        estimator="sklearn.svm.SVC",
        imports=("sklearn.svm._classes.SVC",),
        signature=SIGNATURE,
        fallback_because="it has no plan",
        sandbox=("seccomp",),
        seconds={"load": 0.25},
        output="warned\n",
    )
    assert read(encode(fallback)) == Sent(fallback)
    failed = Report(Outcome.FAILED, reason="no", advice="yes")
    assert read(encode(failed)) == Sent(failed)
    plan = tmp_path / "plan"
    plan.write_bytes(b"a plan")
    sent = read(encode(Report(Outcome.PLAN, exactness="batch", plan_path=plan)))
    assert sent.plan_size_bytes == len(b"a plan")
    assert sent.report.plan_path is None


HOSTILE: dict[str, Any] = {
    "nothing": b"",
    "no json": b"{",
    "a list": b"[]",
    "no object": b"3",
    "not text": b"\xff\xfe{}",
    "deep": b'{"format":1,"outcome":' + b"[" * 200_000,
    "long number": b'{"format": ' + b"9" * 10_000 + b"}",
    "another format": document(format=2),
    "no format": {"outcome": "plan"},
    "no outcome": document(outcome=None),
    "an outcome of its own": document(outcome="ready"),
    "an outcome that is a list": document(outcome=["plan"]),
    "no plan": document(plan=None),
    "a path as digest": document(plan={"sha256": "../../etc/passwd", "size_bytes": 1}),
    "a digest in capitals": document(plan={"sha256": DIGEST.upper(), "size_bytes": 1}),
    "a digest with a line": document(plan={"sha256": DIGEST + "\n", "size_bytes": 1}),
    "an empty plan": document(plan={"sha256": DIGEST, "size_bytes": 0}),
    "a negative plan": document(plan={"sha256": DIGEST, "size_bytes": -1}),
    "too large a plan": document(plan={"sha256": DIGEST, "size_bytes": MOST_PLAN + 1}),
    "a size that is a float": document(plan={"sha256": DIGEST, "size_bytes": 1.0}),
    "a size that is true": document(plan={"sha256": DIGEST, "size_bytes": True}),
    "a fallback without signature": document(outcome="fallback"),
    "a fallback with another's signature": document(outcome="fallback", signature={"columns": 3}),
    "a signature without outputs": document(
        outcome="fallback", signature=SIGNATURE.to_json() | {"outputs": []}
    ),
    "half a surrogate in a name": document(
        outcome="fallback",
        signature=Signature((Column("\ud800"),), SIGNATURE.outputs).to_json(),
    ),
    "a NUL in a name": document(
        outcome="fallback", signature=Signature((Column("a\0b"),), SIGNATURE.outputs).to_json()
    ),
    "too large": b" " * (MOST_BYTES + 1),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_report_is_refused(name: str) -> None:
    with pytest.raises(Untrusted):
        read(HOSTILE[name])


def test_texts_are_cut_and_made_harmless() -> None:
    sent = read(
        document(
            outcome="failed",
            reason="\x1b[2J" + "x" * 10_000,
            advice=7,
            estimator=["not a text"],
            imports=["os.system", 3, None, "y" * 5000] * 1000,
            sandbox={"not": "a list"},
            output="\x07\x1b]0;title\x07" + "z" * 10**6,
            sklearn_version={"a": 1},
        )
    )
    report = sent.report
    assert report.reason is not None
    assert len(report.reason) <= 2000
    assert "\x1b" not in report.reason + report.output
    assert report.advice is None
    assert report.estimator is None
    assert len(report.imports) <= 500
    assert max(map(len, report.imports)) <= 400
    assert report.sandbox == ()
    assert len(report.output) <= 64 * 1024
    assert report.sklearn_version is None


@pytest.mark.parametrize(
    "seconds",
    [
        {"load": float("nan")},
        {"load": float("inf")},
        {"load": -1},
        {"load": True},
        {"load": "1"},
        {"load": 10**400},
        {"<script>": 1},
        {"l" * 41: 1},
        [1],
    ],
)
def test_phases_that_are_none_are_left_out(seconds: Any) -> None:
    assert read(document(seconds=seconds)).report.seconds == {}


def test_what_a_report_says_of_its_plan_is_not_believed(tmp_path: Path) -> None:
    sent = read(document(signature={"columns": "forged"}, cost={"c0_us": -1, "c1_us": "x"}))
    assert sent.report.signature is None
    assert sent.report.cost is None
    path = tmp_path / "plan"
    path.write_bytes(b"not a plan at all")
    with pytest.raises(Untrusted, match="not one"):
        with_plan(sent, path)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=10,
)
members = ["reason", "imports", "plan", "signature", "seconds", "output", "sandbox", "exactness"]


@given(
    st.dictionaries(st.sampled_from(members), json_values),
    st.sampled_from(["plan", "fallback", "failed"]),
)
@settings(max_examples=150, deadline=None)
def test_any_report_is_read_or_refused(changes: dict[str, Any], outcome: str) -> None:
    try:
        sent = read(document(outcome=outcome, **changes))
    except Untrusted:
        return
    # What was read can be kept: it is JSON, and text that a database takes.
    kept = json.dumps(sent.report.to_json(), ensure_ascii=False, allow_nan=False)
    assert "\0" not in kept
    kept.encode()
