"""Endpoints: deploying, splitting traffic, going back, predicting, reading logs."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from controlplane.client import predicting
from controlplane.client.core import Core
from controlplane.client.errors import (
    ApiError,
    BadAnswer,
    ClientError,
    DeployFailed,
    NotFound,
    TimedOut,
    Unreachable,
)
from controlplane.client.predicting import Asked, Protocol
from controlplane.client.registry import looks
from controlplane.client.results import Cause, Endpoint, Finding, Release
from controlplane.client.retries import AGAIN, delay
from controlplane.client.rows import table
from controlplane.client.series import Series
from controlplane.client.steps import Answer, Flow, Pause, Send, SignIn, members
from runtime.plan.ops import Array
from runtime.plan.signature import Signature

Traffic = Sequence[Mapping[str, Any]]
Arrays = Array | dict[str, Array]
# An endpoint that was deleted and made again has another audience, and perhaps another address.
MOVED: Final = frozenset({400, 401, 403, 404})
# What answers 404 for longer for an endpoint that is ready is not about to learn of it.
ROUTED_WITHIN_S: Final = 15.0
UNROUTED: Final = (
    "{0} is ready, and what stands before it knows no way to it (404). Ask why: kubeserve why {0}"
)
DELETED_WITHIN_S: Final = 60.0
PATIENCE_S: Final = 10.0
# Causes that no waiting mends.
HOPELESS: Final = frozenset(
    {"ArtifactMissing", "BadPlan", "CrashLoop", "DigestMismatch", "ImageMissing", "OutOfMemory",
     "PodSecurityDenied"}
)  # fmt: skip
# A cluster that grows by itself is adding a node; it takes a minute or two.
NO_ROOM_YET: Final = "Unschedulable"


def named(model: str, version: int | str | None = None) -> tuple[str, int | str | None]:
    """Give the model's name and the version; `iris:3` and `iris:production` are read."""
    name, colon, which = model.partition(":")
    if not colon:
        return name, version
    if version is not None:
        raise ValueError(f"{model!r} names a version already; leave out version={version!r}")
    return name, int(which) if which.isdecimal() else which


def release_of(
    model: str,
    version: int | str | None,
    scaling: Mapping[str, Any] | None,
    container_concurrency: int | None,
    request_timeout_s: float | None,
) -> tuple[str, dict[str, Any]]:
    """Give the model's name and the body of a release; `model` as in `named`."""
    name, version = named(model, version)
    return name, {
        "model": name,
        "version": version,
        "scaling": scaling,
        "container_concurrency": container_concurrency,
        "timeout_s": request_timeout_s,
    }


def _about(
    target: str | None, rollout: int | None, loadtest: str | None, webhook: str | None
) -> tuple[str, ...]:
    """Give the address of what is asked about; raises ValueError unless it is one thing."""
    if [target, loadtest, webhook].count(None) != 2 or (rollout is not None and target is None):
        raise ValueError("name one thing: an endpoint, MODEL:VERSION, a load test or a webhook")
    if target is None:
        return ("loadtests", loadtest) if loadtest is not None else ("webhooks", webhook or "")
    if rollout is not None:
        return ("endpoints", target, "rollouts", str(rollout))
    model, colon, version = target.partition(":")
    return ("models", model, "versions", version) if colon else ("endpoints", target)


class Serving:
    """Flows of endpoints."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._known: dict[str, Endpoint] = {}

    def endpoints(self) -> Flow[list[Endpoint]]:
        """List endpoints."""
        return list(map(Endpoint.read, (yield from self._core.listed("endpoints"))))

    def endpoint(self, name: str) -> Flow[Endpoint]:
        """Read one endpoint."""
        return Endpoint.read((yield from self._core.get(self._core.url("endpoints", name))))

    def token(self, name: str, refused: str | None) -> Flow[str]:
        """Give a token for an endpoint. Its audience is looked up once, and again for a refusal."""
        known = None if refused else self._known.get(name)
        endpoint = known or (yield from self.endpoint(name))
        self._known[name] = endpoint
        token: str = yield SignIn(endpoint.audience, refused)
        return token

    def why(
        self,
        target: str | None,
        rollout: int | None = None,
        loadtest: str | None = None,
        webhook: str | None = None,
    ) -> Flow[Cause]:
        """Ask for the cause of something's state."""
        parts = _about(target, rollout, loadtest, webhook)
        return Cause.read((yield from self._core.get(self._core.url(*parts, "why"))))

    def decisions(self, name: str) -> Flow[list[dict[str, Any]]]:
        """Ask for what an endpoint's autoscaler decided lately."""
        found = yield from self._core.get(self._core.url("endpoints", name, "decisions"))
        return list(found.get("recordings") or ())

    def series(self, name: str, minutes: int) -> Flow[Series]:
        """Ask for what was measured of an endpoint lately."""
        url = self._core.url("endpoints", name, "series", minutes=minutes)
        return Series.read((yield from self._core.get(url)))

    def preflight(self) -> Flow[list[Finding]]:
        """Ask for the checks of the installation."""
        url = self._core.url("admin", "preflight")
        found = yield from self._core.get(url)
        return list(map(Finding.read, found.get("items") or ()))

    def rotate_keys(self, now: bool) -> Flow[dict[str, Any]]:
        """Begin to change the signing key."""
        url = self._core.url("admin", "keys", "rotate")
        return (yield from self._core.post(url, {"now": now}))

    def delete_endpoint(self, name: str) -> Flow[None]:
        """Delete an endpoint; its model stays."""
        self._known.pop(name, None)
        yield from self._core.delete(self._core.url("endpoints", name))

    def deploy(
        self, name: str, change: Mapping[str, Any], wait: bool, timeout_s: float
    ) -> Flow[Endpoint]:
        """Make a release; wait until it serves."""
        endpoint = yield from self.release(name, change)
        if not wait or endpoint.is_ready:
            return endpoint
        return (yield from self.wait_for_endpoint(name, timeout_s))

    def release(self, name: str, change: Mapping[str, Any]) -> Flow[Endpoint]:
        """Make a release of what is not None in `change`; gives the endpoint as it is wanted."""
        self._known.pop(name, None)
        url = self._core.url("endpoints", name, "releases")
        body = {key: value for key, value in change.items() if value is not None}
        until = self._core.clock() + DELETED_WITHIN_S
        while True:
            try:
                return Endpoint.read((yield from self._core.post(url, body)))
            except ApiError as error:
                # An endpoint of this name that was deleted a moment ago is still being taken down.
                passing = error.status == 409 and error.retry_after_s is not None
                if not passing or self._core.clock() >= until:
                    raise
                yield Pause(error.retry_after_s or 1.0)

    def configure(
        self, name: str, change: Mapping[str, Any], since: Endpoint | None
    ) -> Flow[Endpoint]:
        """Make a release of settings alone; raises ClientError where `since` is old."""
        self._known.pop(name, None)
        url, headers = self._core.url("endpoints", name), dict[str, str]()
        if since is not None:
            answer = yield from self._core.call("GET", url)
            now = Endpoint.read(members(answer, url))
            if (now.id, now.generation) != (since.id, since.generation):
                raise ClientError(f"{name} was changed meanwhile, by another release")
            headers = {"if-match": answer.headers.get("etag", "*")}
        body = {key: value for key, value in change.items() if value is not None}
        answer = yield from self._core.call("POST", f"{url}/releases", body, headers)
        return Endpoint.read(members(answer, url))

    def wait_for_endpoint(self, name: str, timeout_s: float) -> Flow[Endpoint]:
        """Wait until the newest release serves; raises DeployFailed or TimedOut."""
        until = self._core.clock() + timeout_s
        asked = self._core.clock() + PATIENCE_S
        pauses = looks()
        while True:
            endpoint = yield from self.endpoint(name)
            if endpoint.is_ready:
                return endpoint
            failed = endpoint.current and endpoint.ready.status == "False"
            if failed and endpoint.ready.reason != NO_ROOM_YET:
                raise DeployFailed(endpoint)
            if self._core.clock() >= until:
                cause = yield from self.why(name)
                raise TimedOut(
                    f"{name} is not ready after {timeout_s:g} s: {cause.message} "
                    f"(more: kubeserve why {name})"
                )
            if self._core.clock() >= asked:
                # A cluster waits minutes before it calls a start failed; its pods tell sooner.
                asked = self._core.clock() + PATIENCE_S
                cause = yield from self.why(name)
                if cause.reason in HOPELESS:
                    raise DeployFailed(endpoint, cause.message)
            yield next(pauses)

    def releases(self, name: str) -> Flow[list[Release]]:
        """List releases, newest first."""
        return list(
            map(Release.read, (yield from self._core.listed("endpoints", name, "releases")))
        )

    def rollback(self, name: str, to: int | None) -> Flow[Endpoint]:
        """Go back to a release, the one before if None."""
        self._known.pop(name, None)
        url = self._core.url("endpoints", name, "rollback")
        return Endpoint.read((yield from self._core.post(url, {"to": to})))

    def warm_windows(self, name: str) -> Flow[list[dict[str, Any]]]:
        """Read when an endpoint is kept warm."""
        found = yield from self._core.get(self._core.url("endpoints", name, "warm-windows"))
        return list(found.get("windows") or ())

    def set_warm_windows(
        self, name: str, windows: Sequence[Mapping[str, Any]]
    ) -> Flow[list[dict[str, Any]]]:
        """Say when an endpoint is kept warm."""
        url = self._core.url("endpoints", name, "warm-windows")
        answer = yield from self._core.call("PUT", url, {"windows": [dict(w) for w in windows]})
        return list(members(answer, url).get("windows") or ())

    def logs(self, name: str, tail: int, follow: bool) -> Flow[Answer]:
        """Open the stream of log lines."""
        follows = "true" if follow else None
        url = self._core.url("endpoints", name, "logs", tail=tail, follow=follows)
        headers = {"accept": "application/x-ndjson"}
        return (
            yield from self._core.signed(lambda auth: Send("GET", url, headers | auth, stream=True))
        )

    def predict(
        self,
        name: str,
        data: Any,
        output: str | Sequence[str] | None,
        protocol: Protocol | None,
        timeout_s: float,
        tag: str | None = None,
    ) -> Flow[Arrays]:
        """Predict rows."""
        outputs = _named(output)
        rows = table(data)
        chosen = predicting.choose(protocol, rows)
        asked = predicting.ask(chosen, name, rows, outputs, timeout_s)
        answer = yield from self._answered(name, tag, asked)
        return predicting.read(chosen, answer, outputs)

    def signature(self, name: str, tag: str | None, timeout_s: float) -> Flow[Signature]:
        """Ask an endpoint what it takes and gives."""
        version = None
        if tag is not None:
            # One process may serve several revisions; a tag is the way to it, not its name there.
            endpoint = yield from self.endpoint(name)
            version = next((one.version for one in endpoint.revisions if one.tag == tag), None)
        asked = predicting.ask_signature(name, version, timeout_s)
        return predicting.read_signature((yield from self._answered(name, tag, asked)))

    def predict_lines(
        self,
        name: str,
        lines: Sequence[bytes],
        first: int,
        output: str | Sequence[str] | None,
        timeout_s: float,
        tag: str | None,
    ) -> Flow[tuple[list[Any], ApiError | None]]:
        """Predict rows that are written already; gives those before the first wrong one, and why.

        A replica that ends amid them says how far it came; the next one goes on from there.
        """
        outputs, found = _named(output), list[Any]()
        for attempt in range(1, self._core.policy.tries + 1):
            rest = lines[len(found) :]
            asked = predicting.ask_lines(rest, first + len(found), outputs, timeout_s)
            try:
                answer = yield from self._answered(name, tag, asked)
            except ApiError as error:
                if not found:
                    raise
                return found, error
            more, problem = predicting.read_lines(answer, len(rest))
            found += more
            if problem is None:
                return found, None
            refused = ApiError(problem)
            if refused.status not in AGAIN or attempt == self._core.policy.tries:
                return found, refused
            yield Pause(delay(self._core.policy, attempt))
        raise AssertionError("the last try returns")

    def _answered(self, name: str, tag: str | None, asked: Asked) -> Flow[Answer]:
        """Ask an endpoint; wait where it is ready and the way to it is not there yet.

        An ingress, and Knative's activator, may learn of an endpoint a moment after it is ready.
        """
        until, attempt = self._core.clock() + ROUTED_WITHIN_S, 1
        while True:
            try:
                return (yield from self._asked(name, tag, asked))
            except NotFound as error:
                if error.is_ours or not (yield from self.endpoint(name)).is_ready:
                    raise
                if self._core.clock() >= until:
                    raise NotFound({**error.problem, "detail": UNROUTED.format(name)}) from error
            yield Pause(delay(self._core.policy, attempt))
            attempt += 1

    def _asked(self, name: str, tag: str | None, asked: Asked) -> Flow[Answer]:
        """Ask an endpoint. Where it is, is looked up once, and again when it moved."""
        known = self._known.get(name)
        if known is not None and known.url_of(tag) is not None:
            try:
                return (yield from self._ask(known, tag, asked))
            except (ApiError, Unreachable) as error:
                if isinstance(error, ApiError) and error.status not in MOVED:
                    raise
                self._known.pop(name, None)
                endpoint = yield from self.endpoint(name)
                if (endpoint.url_of(tag), endpoint.audience) == (known.url_of(tag), known.audience):
                    raise
        else:
            endpoint = yield from self.endpoint(name)
        answer = yield from self._ask(endpoint, tag, asked)
        self._known[name] = endpoint
        return answer

    def _ask(self, endpoint: Endpoint, tag: str | None, asked: Asked) -> Flow[Answer]:
        what, chosen = endpoint.name, dict[str, str]()
        if tag is not None:
            tags = [one.tag for one in endpoint.revisions if one.tag]
            if tag not in tags:
                raise ValueError(f"{what} has no tag {tag}; it has {', '.join(tags) or 'none'}")
            what, chosen = f"{what}'s tag {tag}", {"knative-serving-tag": tag}
        where = endpoint.url_of(tag)
        if not where or not endpoint.audience:
            raise BadAnswer(f"{what} has no address yet: {endpoint.ready.message}")
        url = where.rstrip("/") + asked.path
        headers = {**asked.headers, **chosen}
        if self._core.account.ingress is not None:
            parts = urlsplit(url)
            headers["host"] = parts.netloc
            url = self._core.account.ingress + parts.path
            url += f"?{parts.query}" if parts.query else ""
        return (
            yield from self._core.signed(
                lambda auth: Send(asked.method, url, headers | auth, asked.body, asked.timeout_s),
                endpoint.audience,
            )
        )


def _named(output: str | Sequence[str] | None) -> tuple[str, ...] | None:
    return (output,) if isinstance(output, str) else tuple(output or ()) or None
