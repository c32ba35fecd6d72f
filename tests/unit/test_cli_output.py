"""What the command line prints of others' text: every character of it, and no command in it."""

import click
import pytest
from click.testing import CliRunner

from controlplane.cli import loadtest
from controlplane.cli.main import cli
from controlplane.cli.output import Output, fail
from controlplane.client import NotFound
from tests.unit.client.fake_api import FakeApi

# What rich reads as markup and as an emoji, and what a terminal reads as a command.
HOSTILE = "[/x][red]y[/] :bug: \x1b[2J"
SHOWN = r"[/x][red]y[/] :bug: \x1b[2J"
DELIVERIES = "webhooks deliveries 1"
AT = "2026-11-30T12:00:00+00:00"
REVISIONS = [{"name": "r", "model": HOSTILE, "version": 1, "percent": 100}]


@pytest.fixture
def api():
    made = FakeApi()
    yield made
    made.close()


@pytest.fixture
def kubeserve(api):
    """Run a command against the fake API."""
    given = {"KUBESERVE_CLIENT_ID": "c-1", "KUBESERVE_CLIENT_SECRET": "s:cret /"}

    def run(*arguments):
        asked = ["--url", api.url, *arguments]
        return CliRunner().invoke(cli, asked, env=given, standalone_mode=False)

    return run


def items(*each):
    return {"items": [*each], "next": None}


TOLD = {
    "models": ("/v1/models", items({"name": HOSTILE, "versions": 1, "latest_state": "ready"})),
    "models iris": (
        "/v1/models/iris/versions",
        items({"model": "iris", "number": 1, "state": "failed", "reason": HOSTILE}),
    ),
    "keys list": ("/v1/keys", items({"id": "1", "name": HOSTILE, "created_by": "anna"})),
    "audit": (
        "/v1/audit",
        items({"at": AT, "action": "payload_log.set", "target": "endpoint:iris", "subject": "u",
               "detail": {"redact": HOSTILE}}),
    ),
    "endpoints": (
        "/v1/endpoints",
        items({"name": "iris", "ready": {"status": "False", "reason": HOSTILE}}),
    ),
    "releases iris": (
        "/v1/endpoints/iris/releases",
        items({"number": 1, "action": "rollback", "reason": HOSTILE, "revisions": REVISIONS}),
    ),
    "why iris": (
        "/v1/endpoints/iris/why",
        {"about": "endpoint:iris", "reason": HOSTILE, "ok": True, "message": HOSTILE},
    ),
    "drift iris": (
        "/v1/endpoints/iris/drift",
        {"message": HOSTILE,
         "columns": [{"name": HOSTILE, "role": "input", "level": "major", "psi": 0.3,
                      "missing_reference": 0, "missing": 0, "reference": "training",
                      "evidence": HOSTILE}]},
    ),
    "payloads show iris": (
        "/v1/endpoints/iris/payload-log", {"settings": {"redact": [HOSTILE]}, "days": []}
    ),
    "webhooks list": (
        "/v1/webhooks",
        items({"id": "1", "url": "https://x", "events": ["*"], "description": HOSTILE,
               "enabled": True, "disabled_because": None, "failing_since": None,
               "created_by": "u"}),
    ),
    DELIVERIES: (
        "/v1/webhooks/1/deliveries",
        items({"id": "2", "message_id": "m", "type": "test", "state": "failed", "attempts": 1,
               "status": 500, "error": None, "response": HOSTILE, "happened_at": AT,
               "next_at": None}),
    ),
    "members": (
        "/v1/members", items({"id": "1", "email": "a@b", "name": HOSTILE, "role": "owner"})
    ),
    "invitations": (
        "/v1/invitations",
        items({"id": "1", "tenant": "t", "email": HOSTILE, "role": "viewer", "invited_by": "u"}),
    ),
    "admin people": ("/v1/people", items({"id": "1", "email": "a@b", "name": HOSTILE})),
    "admin preflight": (
        "/v1/admin/preflight",
        items({"name": HOSTILE, "verdict": "ok", "message": HOSTILE, "advice": HOSTILE}),
    ),
    "warm iris": (
        "/v1/endpoints/iris/warm-windows",
        {"windows": [{"cron": HOSTILE, "minutes": 5, "time_zone": "UTC", "replicas": 1,
                      "open": False, "next_start": None}]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("command", TOLD)
def test_text_of_others_is_shown_as_it_is(api, kubeserve, command):
    path, told = TOLD[command]
    api.misbehave(path, (200, told))
    ended = kubeserve(*command.split())
    assert ended.exception is None, ended.output
    folded = " ".join(ended.output.split())
    assert folded.replace(SHOWN, "") != folded, ended.output
    assert "\x1b" not in ended.output


def test_what_a_command_is_told_is_said_as_it_is(api, kubeserve):
    api.misbehave("/v1/models/a[b]/aliases/x", (200, {}))
    ended = kubeserve("alias", "a[b]", "x", "1")
    assert ended.output == "a[b]:x is version 1 now.\n"
    ended = kubeserve("push", __file__, "--name", "a[/b]")
    assert ended.exception is None, ended.output
    assert "a[/b] version 1 is ready" in ended.output


def test_each_fault_is_said_once(api, kubeserve, capsys):
    faults = [
        {"field": "p99", "detail": "write a duration"},
        {"field": "p50", "detail": "it is [/odd]"},
        {"row": 3, "column": "age", "detail": '"x" is not a number'},
    ]
    told = {"type": "/problems/invalid-input", "status": 422, "errors": faults}
    api.misbehave("/v1/endpoints/iris/slo", (422, told | {"detail": "p99: write a duration"}))
    refused = kubeserve("slo", "iris").exception
    assert fail(refused.detail, errors=refused.errors, code=1) == 1
    said = capsys.readouterr().err
    assert said.splitlines() == [
        "error: p99: write a duration",
        "  p50: it is [/odd]",
        '  row 3, column "age": "x" is not a number',
    ]


def test_the_cells_of_a_csv_file_are_what_their_columns_say(api, kubeserve, tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_bytes("\ufeffisland,mass\n007,1\nNA,\n".encode())
    ended = kubeserve("predict", "penguins", str(rows), "--output", "predict")
    assert ended.exception is None, ended.output
    assert ended.output == '["007!", "NA!"]\n'
    rows.write_text("1,2\n3,\n")
    assert kubeserve("predict", "iris", str(rows)).output == "[3.0, NaN]\n"
    rows.write_text("x0,x1\n1,2\nmany,2\n")
    refused = kubeserve("predict", "iris", str(rows)).exception
    assert 'row 1, column "x0": "many" is not a number' in refused.detail
    assert api.count("/v2/models/iris/infer") == 1


@pytest.mark.parametrize(("sample", "part"), [("1", "All"), ("0.1", "10 %"), ("0.001", "0.1 %")])
def test_a_share_of_requests_is_said_as_people_say_it(api, kubeserve, sample, part):
    api.misbehave("/v1/endpoints/iris/payload-log", (200, {}))
    ended = kubeserve("payloads", "on", "iris", "--sample", sample, "--redact", "ssn")
    assert ended.output.startswith(f"{part} of iris's requests are logged, without ssn.\n")


def test_a_test_that_disabled_its_webhook_says_so(api, kubeserve):
    (hook,), (sent,) = (TOLD[name][1]["items"] for name in ("webhooks list", DELIVERIES))
    sent = {**sent, "state": "pending", "status": 410, "response": "", "attempts": 0, "tries": []}
    api.misbehave("/v1/webhooks/1/test", (202, sent))
    tried = {"tries": [{"took_ms": 5}], "attempts": 1}
    api.misbehave("/v1/webhooks/1/deliveries/2", (200, {**sent, **tried}))
    gone = {"enabled": False, "disabled_because": "Its receiver answered 410 (Gone)."}
    api.misbehave("/v1/webhooks/1", (200, {**hook, **gone}))
    ended = kubeserve("webhooks", "test", "1")
    assert ended.return_value == 1
    assert ended.output.splitlines() == [
        "pending: 410 (5 ms)",
        "Nothing more is sent to it: Its receiver answered 410 (Gone).",
        "Next: kubeserve webhooks enable 1, which sends what waits",
    ]


def test_an_endpoint_without_rollouts_has_none_to_show(api, kubeserve):
    api.misbehave("/v1/endpoints/iris/rollouts", (200, items()))
    refused = kubeserve("rollout", "iris").exception
    assert (type(refused), refused.status) == (NotFound, 404)
    assert refused.detail == "iris has had no rollout."


@pytest.mark.parametrize(
    "arguments",
    [
        ["audit", "--since", "1h", "--until", "2h"],
        ["audit", "--most", "-3"],
        ["payloads", "list", "iris", "--since", "1h", "--until", "2h"],
        ["payloads", "get", "iris", "--since", "1h", "--until", "2h"],
    ],
)
def test_a_time_that_is_none_is_refused(api, kubeserve, arguments):
    refused = kubeserve(*arguments).exception
    assert isinstance(refused, click.UsageError)
    assert not api.seen


def test_a_load_test_says_how_long_it_was(capsys):
    totals = {"seconds": 6.0, "sent": 81, "good": 80, "errors": {}}
    totals["latencies"] = [{"name": name, "seconds": 0.01} for name in ("p50", "p95", "p99")]
    done = {"event": "finished", "totals": totals, "knee": None, "verdicts": [], "cut": None,
            "notes": [], "reports": {"html": "report.html"}}  # fmt: skip
    loadtest.said_its_end(Output(False, None), done, 0, loadtest._show)
    assert capsys.readouterr().out.startswith("81 requests in 6 s, 1 errors; p50 10 ms")
