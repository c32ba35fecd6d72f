"""`usage` and `quota` in the SDK and on the command line, against a server that answers them."""

import json
from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest

from controlplane.client import BadAnswer, Cost, Limit
from tests.unit.client.test_why import kubeserve

COST = {"replica_s": 900.0, "cpu_s": 90.0, "memory_gib_s": 56.25, "money": None}
ROW = {
    "endpoint": "iris",
    "endpoint_id": "6f1c1d1e-0000-4000-8000-000000000001",
    "start": "2026-11-01T00:00:00+00:00",
    "requests": 12,
    "rows": 480,
    "wakes": 3,
    "starts": 4,
    "busy_s": 10.0,
    "idle_s": 889.5,
    "starting_s": 0.5,
    "ready_s": 899.5,
    "active_s": 900.0,
    "lasted_s": 86400.0,
    "cost": {"used": COST, "kept_warm": {**COST, "cpu_s": 8640.0, "money": 1.25}},
}
PAGE = {"items": [ROW], "next": None, "start": ROW["start"], "end": ROW["start"], "prices": None}
QUOTA = {
    "tenant": "acme",
    "models": {"limit": 10, "used": 3, "own": True},
    "storage_bytes": {"limit": 1 << 31, "used": 1536, "own": False},
    "replicas": {"limit": 100, "used": None, "own": False},
}


def test_usage_is_read_and_asked_for_as_it_was_meant(api, client):
    api.misbehave("/v1/usage", (200, PAGE))
    start = datetime(2026, 11, 1, tzinfo=UTC)
    (row,) = client.usage(start, endpoint="iris", interval="day")
    assert (row.endpoint, row.requests, row.rows, row.wakes) == ("iris", 12, 480, 3)
    assert row.start == start
    assert row.used == Cost(900.0, 90.0, 56.25, None)
    assert row.kept_warm.money == 1.25
    assert row.raw == ROW
    asked = parse_qs(api.seen[-1][4])
    assert datetime.fromisoformat(asked["from"][0]) == start
    assert (asked["endpoint"], asked["interval"], "to" in asked) == (["iris"], ["day"], False)


def test_what_an_engine_does_not_count_is_none(api, client):
    unknown = {**ROW, "requests": None, "rows": None, "busy_s": None, "idle_s": None}
    api.misbehave("/v1/usage", (200, {**PAGE, "items": [unknown]}))
    (row,) = client.usage()
    assert row.requests is row.rows is row.busy_s is row.idle_s is None


def test_a_quota_is_read_and_set(api, client):
    api.misbehave("/v1/quota", (200, QUOTA))
    assert client.quota().limits["models"] == Limit(10, 3, own=True)
    api.misbehave("/v1/tenants/acme/quota", (200, QUOTA))
    assert client.set_quota("acme", {"models": 10}).tenant == "acme"
    method, _, _, body, _ = api.seen[-1]
    assert (method, json.loads(body)) == ("PUT", {"models": 10})


def test_an_answer_that_is_neither_is_told(api, client):
    api.misbehave("/v1/usage", (200, {**PAGE, "items": [{"endpoint": "iris"}]}))
    with pytest.raises(BadAnswer, match="no usage"):
        client.usage()
    api.misbehave("/v1/quota", (200, {"models": {}}))
    with pytest.raises(BadAnswer, match="no quota"):
        client.quota()


def test_the_commands_print_what_people_read(api, tmp_path):
    api.misbehave("/v1/usage", (200, PAGE))
    ended = kubeserve(api, tmp_path, "usage", "iris", "--from", "2026-11-01", "--by", "day")
    assert ended.returncode == 0, ended.stderr
    for said in ("iris", "480", "889.5 s", "90.0 CPU s", "1.25 (8640.0 CPU s"):
        assert said in ended.stdout
    api.misbehave("/v1/quota", (200, QUOTA))
    ended = kubeserve(api, tmp_path, "quota")
    assert ended.returncode == 0, ended.stderr
    for said in ("1.5 KiB", "2.0 GiB", "set for this tenant"):
        assert said in ended.stdout


def test_setting_one_limit_keeps_the_others(api, tmp_path):
    path = "/v1/tenants/acme/quota"
    api.misbehave(path, (200, QUOTA), (200, QUOTA))
    given = ("--set", "replicas=5", "--set", "storage-bytes=default")
    ended = kubeserve(api, tmp_path, "quota", "--tenant", "acme", *given)
    assert ended.returncode == 0, ended.stderr
    body = json.loads(api.seen[-1][3])
    assert body == {"models": 10, "replicas": 5, "storage_bytes": None}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["quota", "--set", "models=1"], "--tenant"),
        (["quota", "--tenant", "a", "--set", "model=1"], "there are models"),
        (["quota", "--tenant", "a", "--set", "models=few"], "NAME=NUMBER"),
        (["usage", "--from", "yesterday"], "no time such as 2026-11-30"),
    ],
)
def test_a_mistyped_command_says_what_would_do(api, tmp_path, arguments, said):
    api.misbehave("/v1/tenants/a/quota", (200, QUOTA))
    ended = kubeserve(api, tmp_path, *arguments)
    assert ended.returncode == 2
    assert said in ended.stderr
