"""What every engine does alike."""

import concurrent.futures
import io
import pickle
import re
from typing import Any

import httpx
import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from controlplane.client import ApiError, BadAnswer, BuildFailed, NotFound, Usage
from tests.conformance.platform import WITHIN_S, Platform, rows

X, Y = load_iris(return_X_y=True)
PATH = "/v1/models/{}:predict"


@pytest.fixture(scope="module")
def model() -> LogisticRegression:
    return LogisticRegression(max_iter=500).fit(X, Y)


def constant(value: int) -> Any:
    """Make a model whose answer tells which version it is."""
    return DummyClassifier(strategy="constant", constant=value).fit(X, np.full(len(X), value))


@pytest.fixture(scope="module")
def iris(platform: Platform, model: LogisticRegression) -> str:
    platform.push(model, "iris")
    platform.client.deploy("iris", scaling=platform.short)
    return "iris"


@pytest.fixture(scope="module")
def split(platform: Platform) -> str:
    """Deploy three versions that answer 1, 2 and 3."""
    for value in (1, 2, 3):
        platform.push(constant(value), "digit")
        platform.client.deploy("digit", value, scaling=platform.short)
    return "digit"


def answers(platform: Platform, name: str, count: int, **headers: str) -> list[int]:
    with platform.caller(name, **headers) as caller:
        found = []
        for _ in range(count):
            answer = caller.post(PATH.format(name), content=rows(X[:1]))
            assert answer.status_code == 200, answer.text
            found.append(int(answer.json()["predictions"][0]))
        return found


def test_a_deployed_model_answers_as_scikit_learn_does(
    platform: Platform, iris: str, model: LogisticRegression
) -> None:
    ours = platform.client.predict(iris, X, "predict_proba")
    np.testing.assert_allclose(ours, model.predict_proba(X), rtol=1e-12, atol=1e-12)


def test_a_stranger_finds_from_an_address_alone_who_gives_tokens(
    platform: Platform, iris: str
) -> None:
    with platform.caller(iris, authorization="") as stranger:
        refused = stranger.post("/predict", content=rows(X[:1]))
        assert refused.status_code == 401
        told = refused.headers["www-authenticate"]
        found = re.fullmatch(r'Bearer realm="kubeserve", resource_metadata="([^"]+)".*', told)
        assert found, told
        described = httpx.get(found[1], trust_env=False).json()
        # The endpoint itself says the same, for who asks it.
        assert stranger.get("/.well-known/oauth-protected-resource").json() == described
        issuer = described["authorization_servers"][0]
        metadata = f"{issuer}/.well-known/oauth-authorization-server"
        server = httpx.get(metadata, trust_env=False).json()
        assert server["issuer"] == issuer
        form = {
            "grant_type": "client_credentials",
            "resource": described["resource"],
            "scope": " ".join(described["scopes_supported"]),
        }
        auth = (platform.client_id, platform.client_secret)
        given = httpx.post(server["token_endpoint"], data=form, auth=auth, trust_env=False).json()
        signed = {"authorization": f"Bearer {given['access_token']}"}
        answer = stranger.post("/predict", json=X[:1].tolist(), headers=signed)
        assert answer.status_code == 200, answer.text


def test_it_falls_to_zero_and_comes_back_for_everyone_who_waits(
    platform: Platform, iris: str
) -> None:
    platform.client.predict(iris, X[:1])
    platform.until(lambda: platform.at_zero(iris))
    seen = platform.client.endpoint(iris)
    assert seen.ready.status == "True"
    with platform.caller(iris) as caller, concurrent.futures.ThreadPoolExecutor(20) as pool:
        asked = [
            pool.submit(caller.post, PATH.format(iris), content=rows(X[:1])) for _ in range(60)
        ]
        assert {one.result().status_code for one in asked} == {200}


def test_an_endpoint_is_tried_by_who_holds_no_token_of_it(
    platform: Platform, iris: str, model: LogisticRegression
) -> None:
    signed = {"authorization": f"Bearer {platform.token()}"}

    def tried(body: Any) -> Any:
        url = f"{platform.client.url}/v1/endpoints/{iris}/try"
        answer = httpx.post(url, json={"body": body}, headers=signed, timeout=100, trust_env=False)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def woken_from_zero() -> Any:
        # On Knative zero may be news from before what another test asked a moment ago.
        platform.until(lambda: platform.at_zero(iris))
        found = tried({"rows": X[:2].tolist(), "outputs": ["predict"]})
        assert found["status"] == 200, found
        return found if found["from_zero"] else None

    woken = platform.until(woken_from_zero, within_s=2 * WITHIN_S)
    assert woken["body"]["predictions"] == model.predict(X[:2]).tolist()
    assert woken["revision"]
    refused = tried([["not a number", 1, 2, 3]])
    assert (refused["status"], refused["body"]["errors"][0]["row"]) == (422, 0), refused


def test_why_tells_serving_from_idle_and_from_nothing(platform: Platform, iris: str) -> None:
    def reason() -> str:
        found = platform.client.why(iris)
        assert found.ok, found
        return found.reason

    platform.client.predict(iris, X[:1])
    platform.until(lambda: reason() == "Serving")
    platform.until(lambda: reason() == "Idle")
    assert platform.client.why(iris).evidence
    with pytest.raises(NotFound):
        platform.client.why("nobody")


def test_traffic_is_split_by_percentage(platform: Platform, split: str) -> None:
    platform.client.traffic(split, [{"version": 1, "percent": 80}, {"version": 3, "percent": 20}])
    platform.client.wait_for_endpoint(split)
    platform.until(lambda: {1, 3} == set(answers(platform, split, 40)))
    found = answers(platform, split, 2000)
    # Five standard deviations of a binomial: once in two million runs by chance.
    assert abs(found.count(3) - 400) < 5 * np.sqrt(2000 * 0.2 * 0.8)
    assert found.count(2) == 0


def test_a_tag_reaches_a_version_that_has_no_share(platform: Platform, split: str) -> None:
    platform.client.traffic(
        split, [{"version": 1, "percent": 100}, {"version": 3, "percent": 0, "tag": "next"}]
    )
    platform.client.wait_for_endpoint(split)
    platform.until(lambda: set(answers(platform, split, 20)) == {1})

    def previewed() -> bool:
        """Ask once the address of the tag is routed."""
        try:
            return int(platform.client.predict(split, X[:1], tag="next")[0]) == 3
        except (ApiError, BadAnswer):
            return False

    platform.until(previewed)
    assert set(answers(platform, split, 20)) == {1}
    [tagged] = [one for one in platform.client.endpoint(split).revisions if one.tag]
    assert (tagged.tag, tagged.version, tagged.percent) == ("next", 3, 0)
    with pytest.raises(ValueError, match="it has next"):
        platform.client.predict(split, X[:1], tag="last")


def test_a_rollback_is_what_was(platform: Platform, split: str) -> None:
    platform.client.traffic(split, [{"version": 2, "percent": 100}])
    platform.client.wait_for_endpoint(split)
    platform.until(lambda: set(answers(platform, split, 5)) == {2})
    platform.client.traffic(split, [{"version": 1, "percent": 100}])
    platform.client.wait_for_endpoint(split)
    platform.until(lambda: set(answers(platform, split, 5)) == {1})
    platform.client.rollback(split)
    platform.client.wait_for_endpoint(split)
    platform.until(lambda: set(answers(platform, split, 5)) == {2})
    assert platform.client.releases(split)[0].action == "rollback"


def test_a_deploy_under_load_loses_nothing(platform: Platform, split: str) -> None:
    platform.client.deploy("digit", 1, scaling=platform.short)
    done = False

    def ask() -> set[int]:
        seen: set[int] = set()
        with platform.caller(split) as caller:
            while not done:
                answer = caller.post(PATH.format(split), content=rows(X[:1]))
                assert answer.status_code == 200, (answer.text, answer.headers)
                seen.add(int(answer.json()["predictions"][0]))
        return seen

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        try:
            platform.client.deploy("digit", 3, scaling=platform.short)
            platform.until(lambda: set(answers(platform, split, 5)) == {3})
        finally:
            done = True
        assert set.union(*(one.result() for one in asking)) <= {1, 3}


def test_a_bad_model_fails_with_a_reason_and_harms_nobody(platform: Platform, iris: str) -> None:
    with pytest.raises(BuildFailed) as failed:
        platform.client.push(io.BytesIO(pickle.dumps(X.tolist())), "bad")
    assert failed.value.version.reason
    assert len(platform.client.predict(iris, X[:3])) == 3


@pytest.mark.parametrize("token", ["none", "other", "api"])
def test_no_answer_without_a_token_for_this_endpoint(
    platform: Platform, iris: str, split: str, token: str
) -> None:
    audience = platform.client.endpoint(split).audience
    chosen = {"none": "none", "other": platform.token(audience), "api": platform.token()}[token]
    with platform.caller(iris, authorization=f"Bearer {chosen}") as caller:
        answer = caller.post(PATH.format(iris), content=rows(X[:1]))
    assert answer.status_code in (401, 403)
    assert answer.headers["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "problem"),
        (b'{"instances": [[1, 2, 3]]}', "row"),
        (b'{"instances": [[1, 2, 3, "x"]]}', "row"),
    ],
)
def test_what_does_not_fit_is_named(platform: Platform, iris: str, body: bytes, says: str) -> None:
    with platform.caller(iris) as caller:
        answer = caller.post(PATH.format(iris), content=body)
        assert 400 <= answer.status_code < 500
        assert says in answer.text
        assert caller.post(PATH.format(iris), content=rows(X[:1])).status_code == 200


def test_replicas_wrote_logs(platform: Platform, iris: str) -> None:
    platform.client.predict(iris, X[:1])
    lines = platform.until(lambda: list(platform.client.logs(iris, tail=50)))
    assert any("serving iris" in line.text for line in lines)


def test_usage_is_counted_and_compared_with_a_replica_kept_warm(
    platform: Platform, model: LogisticRegression
) -> None:
    platform.push(model, "metered")
    platform.client.deploy("metered", scaling=platform.short)
    for _ in range(5):
        platform.client.predict("metered", X[:3])

    def noted() -> Usage | None:
        found = platform.client.usage(endpoint="metered")
        whole = bool(found) and found[0].requests == 5 and found[0].ready_s > 0
        return found[0] if whole else None

    used = platform.until(noted)
    assert used.rows == 15
    assert used.starts >= 1
    assert 0 < used.active_s <= used.lasted_s + 20
    assert used.used.cpu_s <= used.kept_warm.cpu_s
    platform.client.delete_endpoint("metered")
    assert platform.client.usage(endpoint="metered")[0].starts >= 1
    limits = platform.client.quota().limits
    assert limits["models"].used >= 1
    assert limits["storage_bytes"].used > 0


def test_an_unready_change_is_refused_and_what_was_goes_on(platform: Platform, iris: str) -> None:
    with pytest.raises(ApiError):
        platform.client.deploy(iris, 99)
    assert len(platform.client.predict(iris, X[:2])) == 2


def test_deleted_is_gone_and_the_name_is_free_again(
    platform: Platform, model: LogisticRegression
) -> None:
    platform.push(model, "brief")
    first = platform.client.deploy("brief", scaling=platform.short)
    platform.client.delete_endpoint("brief")

    def gone() -> bool:
        return "brief" not in {one.name for one in platform.client.endpoints()}

    platform.until(gone)
    second = platform.client.deploy("brief", scaling=platform.short)
    assert second.audience != first.audience
    assert len(platform.client.predict("brief", X[:2])) == 2
    platform.client.delete_endpoint("brief")
    platform.until(gone)


def test_overload_is_answered_and_passes(platform: Platform, model: LogisticRegression) -> None:
    """Send more at once than the only replica takes: who is refused is told, nobody waits on."""
    platform.push(model, "busy")
    platform.client.deploy(
        "busy", scaling={**platform.short, "max_scale": 1}, container_concurrency=1
    )
    body = rows(np.tile(X, (40, 1)))
    with platform.caller("busy") as caller, concurrent.futures.ThreadPoolExecutor(60) as pool:
        asked = [pool.submit(caller.post, PATH.format("busy"), content=body) for _ in range(300)]
        found = [one.result() for one in asked]
        assert {one.status_code for one in found} <= {200, 503}
        assert sum(one.status_code == 200 for one in found) >= 11
        for one in found:
            if one.headers.get("content-type", "").startswith("application/problem+json"):
                assert int(one.headers["retry-after"]) >= 1
        assert caller.post(PATH.format("busy"), content=rows(X[:1])).status_code == 200
    platform.client.delete_endpoint("busy")
