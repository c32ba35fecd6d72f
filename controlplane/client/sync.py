"""The client for ordinary programs. Safe to share between threads."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import httpx

from controlplane.client.access import Access
from controlplane.client.bundle import Extras, PathLike, bundled
from controlplane.client.core import Core
from controlplane.client.home import find_account
from controlplane.client.metering import Interval, Metering, Quota, Usage
from controlplane.client.payloads import PayloadFile, Payloads
from controlplane.client.people import People
from controlplane.client.predicting import END, Protocol, Windows
from controlplane.client.registry import Looked, Progress, Registry
from controlplane.client.results import (
    Account,
    ApiKey,
    AuditEvent,
    Cause,
    Endpoint,
    Finding,
    Identity,
    Invitation,
    LogLine,
    Member,
    Model,
    PasswordLink,
    Release,
    Version,
)
from controlplane.client.retries import RetryPolicy
from controlplane.client.rollouts import Rollout, Rollouts, Slo
from controlplane.client.rows import one_by_one
from controlplane.client.series import Series
from controlplane.client.serving import Arrays, Serving, Traffic, release_of
from controlplane.client.steps import (
    Answer,
    Flow,
    Measure,
    Pause,
    Send,
    SignIn,
    Step,
    Upload,
)
from controlplane.client.testing import (
    EventReader,
    LoadTest,
    LoadTestEvent,
    ReportFormat,
    Testing,
    plan_of,
)
from controlplane.client.transport import answer_of, failure, log_line, lost, options, timeout
from controlplane.client.upload import measure, pieces
from controlplane.client.webhooks import Delivery, Webhook, Webhooks
from runtime.plan.signature import Signature

T = TypeVar("T")


class Client:
    """Everything the public API does.

    What is not given is taken from KUBESERVE_URL, KUBESERVE_CLIENT_ID and KUBESERVE_CLIENT_SECRET,
    or KUBESERVE_API_KEY, then from what `kubeserve up` left in its home folder.
    Raises NotConfigured.

    api_key  in place of a client: exchanged for tokens that live for minutes, and never sent to an
             endpoint
    ingress  address of a cluster's ingress where the names of endpoints do not resolve; also
             KUBESERVE_INGRESS
    """

    def __init__(
        self,
        url: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        *,
        api_key: str | None = None,
        ingress: str | None = None,
        timeout_s: float = 60.0,
        retries: RetryPolicy | None = None,
    ) -> None:
        account = find_account(url, client_id, client_secret, ingress, api_key)
        self.url = account.url
        self._core = Core(account, retries or RetryPolicy(), timeout_s)
        self._registry, self._serving = Registry(self._core), Serving(self._core)
        self._people, self._rollouts = People(self._core), Rollouts(self._core)
        self._metering = Metering(self._core)
        self._access, self._webhooks = Access(self._core), Webhooks(self._core)
        self._testing, self._payloads = Testing(self._core), Payloads(self._core)
        self._http = httpx.Client(**options(account.url))
        self._signing: defaultdict[str | None, threading.Lock] = defaultdict(threading.Lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def models(self) -> list[Model]:
        """List models."""
        return self._run(self._registry.models())

    def model(self, name: str) -> Model:
        """Read one model."""
        return self._run(self._registry.model(name))

    def create_model(self, name: str, description: str = "") -> Model:
        """Make a model without versions; `push` makes one by itself."""
        return self._run(self._registry.create_model(name, description))

    def delete_model(self, name: str) -> None:
        """Delete a model and its versions."""
        self._run(self._registry.delete_model(name))

    def push(  # noqa: PLR0913  (each is a part of what is pushed)
        self,
        file: Any,
        name: str,
        *,
        code: PathLike | Sequence[PathLike] = (),
        requirements: PathLike | Sequence[str] = (),
        wheels: Sequence[PathLike] = (),
        reference: Any = None,
        progress: Progress | None = None,
        wait: bool = True,
        wait_s: float = 600.0,
    ) -> Version:
        """Upload a model file as a new version and wait until it is built.

        file          path, bytes or binary file of joblib.dump or pickle.dump, or of a bundle
        code          modules that the model's own classes are in: a folder that was on sys.path, a
                      package, a module, or several of them
        requirements  path of a requirements.txt, or its lines: packages that the model needs
        wheels        paths of wheels of packages of your own
        reference     what it was trained on, as `predict` takes it: drift is measured against it;
                      shares of bins are sent, no rows. With `wait` alone
        progress      called with the bytes sent and all bytes
        raises        BuildFailed with the reason; the same content again gives the same version
        """
        if reference is not None and not wait:
            raise ValueError("a reference needs the version's columns: leave out wait=False")
        with bundled(file, Extras(code, requirements, wheels)) as source:
            version = self._run(self._registry.push(source, name, progress, wait, wait_s))
        if reference is not None:
            self.set_reference(name, reference, version.number)
        return version

    def wait_for_version(
        self, model: str, number: int, *, wait_s: float = 600.0, looked: Looked | None = None
    ) -> Version:
        """Wait until a version is built; raises BuildFailed or TimedOut.

        looked  called with the version at each look; while it is built its `reason` says what
                takes long, if something does
        """
        return self._run(self._registry.wait_for_version(model, number, wait_s, looked))

    def versions(self, model: str) -> list[Version]:
        """List the versions of a model."""
        return self._run(self._registry.versions(model))

    def version(self, model: str, which: int | str) -> Version:
        """Read one version by number or alias."""
        return self._run(self._registry.version(model, which))

    def set_alias(self, model: str, alias: str, version: int) -> None:
        """Point an alias such as `production` at a version."""
        self._run(self._registry.set_alias(model, alias, version))

    def delete_alias(self, model: str, alias: str) -> None:
        """Remove an alias."""
        self._run(self._registry.delete_alias(model, alias))

    def deploy(  # noqa: PLR0913  (each is a setting of a release)
        self,
        model: str,
        version: int | str | None = None,
        endpoint: str | None = None,
        *,
        scaling: Mapping[str, Any] | None = None,
        container_concurrency: int | None = None,
        request_timeout_s: float | None = None,
        wait: bool = True,
        wait_s: float = 120.0,
    ) -> Endpoint:
        """Put a version behind an endpoint (named as the model by default), all traffic to it.

        version  number or alias; the newest that is ready if None
        raises   DeployFailed with the reason, TimedOut
        """
        name, change = release_of(model, version, scaling, container_concurrency, request_timeout_s)
        return self._run(self._serving.deploy(endpoint or name, change, wait, wait_s))

    def wait_for_endpoint(self, endpoint: str, *, wait_s: float = 120.0) -> Endpoint:
        """Wait until the newest release serves; raises DeployFailed or TimedOut."""
        return self._run(self._serving.wait_for_endpoint(endpoint, wait_s))

    def endpoints(self) -> list[Endpoint]:
        """List endpoints."""
        return self._run(self._serving.endpoints())

    def endpoint(self, name: str) -> Endpoint:
        """Read one endpoint."""
        return self._run(self._serving.endpoint(name))

    def token(self, endpoint: str, *, refused: str | None = None) -> str:
        """Give an access token for an endpoint, to call it without the SDK; renewed in time.

        refused  one that the endpoint did not take: another is fetched
        """
        return self._run(self._serving.token(endpoint, refused))

    def rotate_keys(self, *, now: bool = False) -> dict[str, Any]:
        """Begin to change the signing key; administrators only.

        now  the new key signs at once and every token from before ends: for a key that leaked
        """
        return self._run(self._serving.rotate_keys(now))

    def api_keys(self) -> list[ApiKey]:
        """List API keys: all of the tenant to its administrators, else one's own."""
        return self._run(self._access.api_keys())

    def create_api_key(
        self,
        name: str,
        *,
        scopes: Sequence[str] | None = None,
        endpoint: str | None = None,
        expires_in_days: int = 90,
    ) -> ApiKey:
        """Make an API key; its `key` is in this answer and nowhere else.

        scopes    all that its maker has but admin, if left out
        endpoint  the one it opens, by being sent there; else it is exchanged for tokens
        """
        wanted = self._access.create_api_key(name, scopes, endpoint, expires_in_days)
        return self._run(wanted)

    def revoke_api_key(self, key_id: str) -> None:
        """End an API key and its tokens."""
        self._run(self._access.revoke_api_key(key_id))

    def webhooks(self) -> list[Webhook]:
        """List the webhooks of the tenant; administrators only, as all about them is."""
        return self._run(self._webhooks.listed())

    def webhook(self, webhook: str) -> Webhook:
        """Read one webhook by its id."""
        return self._run(self._webhooks.one(webhook))

    def create_webhook(
        self, url: str, *, events: Sequence[str] = ("*",), description: str = ""
    ) -> Webhook:
        """Have events sent to an address; the `secret` is in this answer and nowhere else.

        events  such as `version.ready`, all of `release.*`, or `*`
        """
        return self._run(self._webhooks.create(url, events, description))

    def change_webhook(
        self,
        webhook: str,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        description: str | None = None,
        enabled: bool | None = None,
    ) -> Webhook:
        """Change what is given; `enabled` sends to one again that was disabled."""
        changes = {"url": url, "description": description, "enabled": enabled}
        wanted = {**changes, "events": None if events is None else list(events)}
        return self._run(self._webhooks.change(webhook, wanted))

    def delete_webhook(self, webhook: str) -> None:
        """Remove a webhook and what was to be sent to it."""
        self._run(self._webhooks.delete(webhook))

    def rotate_webhook_secret(self, webhook: str, *, overlap_s: int = 86_400) -> Webhook:
        """Replace a secret; the former one signs too for `overlap_s` seconds."""
        return self._run(self._webhooks.rotate(webhook, overlap_s))

    def test_webhook(self, webhook: str) -> Delivery:
        """Send a webhook an event of its own; read the delivery to see how that went."""
        return self._run(self._webhooks.test(webhook))

    def webhook_deliveries(
        self, webhook: str, *, state: str | None = None, most: int = 50
    ) -> list[Delivery]:
        """List what was sent to a webhook, or is to be, the newest first; 200 at most.

        state  pending, delivered or failed; all if None
        """
        return self._run(self._webhooks.deliveries(webhook, state, most))

    def webhook_delivery(self, webhook: str, delivery: str) -> Delivery:
        """Read one delivery."""
        return self._run(self._webhooks.delivery(webhook, delivery))

    def redeliver(self, webhook: str, delivery: str) -> Delivery:
        """Send a message once more, now; its id stays."""
        return self._run(self._webhooks.redeliver(webhook, delivery))

    def audit(
        self,
        *,
        action: str | None = None,
        subject: str | None = None,
        target: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        most: int = 100,
    ) -> list[AuditEvent]:
        """List who changed what, the newest first; administrators only.

        action  such as `endpoint.delete`, or all of a kind: `endpoint.`
        most    events at most
        """
        asked = {"action": action, "subject": subject, "target": target}
        return self._run(self._access.audit(asked, since, until, most))

    def me(self) -> Identity:
        """Tell who calls, and what they may do."""
        return self._run(self._people.me())

    def members(self) -> list[Member]:
        """List the members of the tenant; administrators only, as all about members is."""
        return self._run(self._people.members())

    def change_role(self, member: str, role: str) -> Member:
        """Make a member (e-mail address or id) owner, admin, developer or viewer."""
        return self._run(self._people.change_role(member, role))

    def remove_member(self, member: str) -> None:
        """Take a member (e-mail address or id) out of the tenant."""
        self._run(self._people.remove_member(member))

    def invite(
        self, email: str | None, role: str = "developer", *, tenant: str | None = None
    ) -> Invitation:
        """Invite an address, or whoever gets the link if None; the answer alone has the `link`.

        tenant  another than one's own: the platform's administrators only
        """
        return self._run(self._people.invite(email, role, tenant))

    def invitations(self) -> list[Invitation]:
        """List invitations that nobody has accepted yet."""
        return self._run(self._people.invitations())

    def revoke_invitation(self, invitation: str) -> None:
        """Take an invitation (its id) back."""
        self._run(self._people.revoke_invitation(invitation))

    def people(self) -> list[Account]:
        """List everybody with an account; like the next two for owners of the installation."""
        return self._run(self._people.people())

    def disable(self, person: str, *, disabled: bool = True) -> Account:
        """Keep somebody (e-mail address or id) from signing in, or let them again."""
        return self._run(self._people.disable(person, disabled))

    def password_link(self, person: str) -> PasswordLink:
        """Make a link with which somebody (e-mail address or id) sets a password, for a day."""
        return self._run(self._people.password_link(person))

    def preflight(self) -> list[Finding]:
        """Check what the installation stands on; administrators only."""
        return self._run(self._serving.preflight())

    def quota(self, tenant: str | None = None) -> Quota:
        """Read what a tenant may have and has; another's only for administrators."""
        return self._run(self._metering.quota(tenant))

    def set_quota(self, tenant: str, limits: Mapping[str, int | None]) -> Quota:
        """Set where a tenant differs from the installation, and nowhere else; administrators only.

        limits  by name, such as {"models": 10, "storage_bytes": 1 << 30}
        """
        return self._run(self._metering.set_quota(tenant, limits))

    def usage(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        endpoint: str | None = None,
        interval: Interval = "total",
    ) -> list[Usage]:
        """Read what endpoints used and cost, deleted ones too; of the last 30 days if None.

        start, end  rounded to whole hours of UTC
        interval    total: one for each endpoint; day, hour: for each of them too
        """
        return self._run(self._metering.usage(start, end, endpoint, interval))

    def why(
        self,
        target: str | None = None,
        *,
        rollout: int | None = None,
        loadtest: str | None = None,
        webhook: str | None = None,
    ) -> Cause:
        """Name the cause of the state something is in, with evidence and the next step.

        target   an endpoint, or MODEL:VERSION (a number or an alias)
        rollout  of that endpoint, its number
        """
        return self._run(self._serving.why(target, rollout, loadtest, webhook))

    def series(self, endpoint: str, minutes: int = 60) -> Series:
        """Read rate, errors, latency, replicas and cold starts of its last minutes, 60 at most."""
        return self._run(self._serving.series(endpoint, minutes))

    def decisions(self, endpoint: str) -> list[dict[str, Any]]:
        """Give what its autoscaler saw and decided lately: recordings that can be replayed."""
        return self._run(self._serving.decisions(endpoint))

    def delete_endpoint(self, name: str) -> None:
        """Delete an endpoint; its model stays."""
        self._run(self._serving.delete_endpoint(name))

    def configure(
        self,
        endpoint: str,
        *,
        scaling: Mapping[str, Any] | None = None,
        container_concurrency: int | None = None,
        since: Endpoint | None = None,
    ) -> Endpoint:
        """Change how an endpoint scales, and what a replica takes; what it serves stays.

        since   as it was seen: it is changed only if nobody else did
        raises  ClientError where it was
        """
        change = {"scaling": scaling, "container_concurrency": container_concurrency}
        return self._run(self._serving.configure(endpoint, change, since))

    def traffic(self, endpoint: str, targets: Traffic) -> Endpoint:
        """Split traffic: `[{"version": 3, "percent": 90}, {"version": 4, "percent": 10}]`."""
        return self._run(self._serving.release(endpoint, {"traffic": list(targets)}))

    def releases(self, endpoint: str) -> list[Release]:
        """List what was changed on an endpoint, newest first."""
        return self._run(self._serving.releases(endpoint))

    def rollback(self, endpoint: str, to: int | None = None) -> Endpoint:
        """Go back to a release, the one before if None."""
        return self._run(self._serving.rollback(endpoint, to))

    def rollout(
        self,
        model: str,
        endpoint: str | None = None,
        *,
        steps: Sequence[int] = (5, 25, 100),
        slo: Literal["endpoint"] | Mapping[str, str | float] | None = None,
        **rules: Any,
    ) -> Rollout:
        """Give MODEL[:VERSION or :ALIAS] an endpoint's traffic in steps, each of which is judged.

        steps  percentages of the traffic
        slo    "endpoint": what the endpoint promises, or promises of its own (`set_slo`)
        rules  shadow, replay, loadtest, requests, step_s, give_up_s: see
               `POST /v1/endpoints/{endpoint}/rollouts`
        """
        asked = {"steps": [*steps], "slo": slo, **rules}
        return self._run(self._rollouts.start(model, endpoint, asked))

    def rollouts(self, endpoint: str) -> list[Rollout]:
        """List the rollouts of an endpoint, the newest first."""
        return self._run(self._rollouts.list(endpoint))

    def newest_rollout(self, endpoint: str) -> Rollout | None:
        """Give the newest rollout of an endpoint; None: it has had none."""
        return self._run(self._rollouts.newest(endpoint))

    def cancel_rollout(self, endpoint: str, number: int) -> Rollout:
        """Give all traffic back to the revision that had it before."""
        return self._run(self._rollouts.cancel(endpoint, number))

    def wait_for_rollout(
        self,
        endpoint: str,
        number: int,
        *,
        timeout_s: float | None = None,
        watch: Callable[[Rollout], None] | None = None,
    ) -> Rollout:
        """Wait until a rollout has ended, well or badly; `watch` is told of each look."""
        return self._run(self._rollouts.wait(endpoint, number, timeout_s, watch))

    def slo(self, endpoint: str) -> Slo:
        """Read what an endpoint promises."""
        return self._run(self._rollouts.slo(endpoint))

    def set_slo(self, endpoint: str, **slo: str | float) -> Slo:
        """Declare what it promises, such as `p99="50ms", error_rate="0.1%"`; without any: nothing.

        Names are those of a load test's objectives.
        """
        return self._run(self._rollouts.set_slo(endpoint, slo))

    def warm_windows(self, endpoint: str) -> list[dict[str, Any]]:
        """Read when an endpoint is kept warm, which windows are open, and when they open next."""
        return self._run(self._serving.warm_windows(endpoint))

    def set_warm_windows(
        self, endpoint: str, windows: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """Say when how many replicas are kept, in place of what was said; none: never.

        windows  of {"cron": "0 8 * * 1-5", "minutes": 600, "replicas": 2, "time_zone": …}
        """
        return self._run(self._serving.set_warm_windows(endpoint, windows))

    def payload_log(self, endpoint: str) -> dict[str, Any]:
        """Read what of an endpoint's requests is logged, and what was, by day."""
        return self._run(self._payloads.log(endpoint))

    def set_payload_log(
        self,
        endpoint: str,
        sample: float,
        *,
        redact: Sequence[str] = (),
        hash: Sequence[str] = (),  # noqa: A002  (as the API calls it)
        predictions: bool = True,
        retention_days: int = 30,
        max_bytes_per_day: int = 1 << 30,
    ) -> dict[str, Any]:
        """Log a share of an endpoint's requests, above 0 to 1, as Parquet.

        redact  columns that are never logged; hash: of which a keyed hash is
        """
        settings = {
            "sample": float(sample),
            "redact": list(redact),
            "hash": list(hash),
            "predictions": predictions,
            "retention_days": retention_days,
            "max_bytes_per_day": max_bytes_per_day,
        }
        return self._run(self._payloads.set_log(endpoint, settings))

    def stop_payload_log(self, endpoint: str) -> None:
        """Log nothing any more; files that are there stay until they expire."""
        self._run(self._payloads.stop(endpoint))

    def payloads(
        self, endpoint: str, *, since: datetime | None = None, until: datetime | None = None
    ) -> list[PayloadFile]:
        """List files of logged requests, the newest first."""
        return self._run(self._payloads.files(endpoint, since, until))

    def payload_file(self, endpoint: str, file: str) -> bytes:
        """Read a Parquet file by its id."""
        return self._run(self._payloads.file(endpoint, file))

    def delete_payloads(self, endpoint: str, *, before: datetime | None = None) -> int:
        """Delete files whose requests all came before a time, or all; gives how many."""
        return self._run(self._payloads.delete(endpoint, before))

    def drift(self, endpoint: str, *, hours: int = 24) -> dict[str, Any]:
        """Read how far what is asked drifted from its reference, the worst column first."""
        return self._run(self._payloads.drift(endpoint, hours))

    def set_drift_window(
        self, endpoint: str, since: datetime, until: datetime | None = None
    ) -> dict[str, Any]:
        """Measure drift against a window of logged requests."""
        return self._run(self._payloads.set_window(endpoint, since, until))

    def forget_drift_window(self, endpoint: str) -> None:
        """Measure drift against training data again, or the first logged rows."""
        self._run(self._payloads.forget_window(endpoint))

    def set_reference(
        self, model: str, data: Any, version: int | str | None = None
    ) -> dict[str, Any]:
        """Tell what a version was trained on, so that drift is measured against it.

        Only shares of bins and common values are sent, no rows.
        data  as `predict` takes it, with the version's columns; others are left out
        """
        return self._run(self._payloads.set_reference(model, version, data))

    def reference(self, model: str, version: int | str | None = None) -> dict[str, Any]:
        """Read what a version was trained on, in bins."""
        return self._run(self._payloads.reference(model, version))

    def signature(
        self, endpoint: str, *, tag: str | None = None, timeout_s: float = 60.0
    ) -> Signature:
        """Ask an endpoint what it takes and gives: columns with their kinds, and outputs.

        It wakes for that, and the scope is that of `predict`.
        """
        return self._run(self._serving.signature(endpoint, tag, timeout_s))

    def predict(
        self,
        endpoint: str,
        data: Any,
        output: str | Sequence[str] | None = None,
        *,
        protocol: Protocol | None = None,
        tag: str | None = None,
        timeout_s: float = 60.0,
    ) -> Arrays:
        """Predict rows.

        data      rows as lists, objects by column name, an array, columns by name, a data frame
        output    predict, predict_proba, …: the model's first if None; several give a dict
        protocol  v2 (the default; keeps dtypes), v1 or short
        tag       ask the revision that `traffic` gave this tag, whatever its share is
        raises    ApiError; its `errors` name row and column of every fault
        """
        return self._run(self._serving.predict(endpoint, data, output, protocol, timeout_s, tag))

    def predict_stream(
        self,
        endpoint: str,
        rows: Iterable[Any],
        output: str | Sequence[str] | None = None,
        *,
        tag: str | None = None,
        timeout_s: float = 60.0,
    ) -> Iterator[Any]:
        """Predict any number of rows, one after the other, in little memory.

        rows    an iterable of lists or of objects by column name, or a data
                frame; read no further than predictions are taken, but for one request
        gives   for each row what JSON says: a number, a text, a list; a dict for several outputs
        raises  ApiError behind the predictions of the rows before; `problem["row"]` is its number
        """
        windows, first = Windows(), 0
        for row in chain(one_by_one(rows), (END,)):
            lines = windows.rest() if row is END else windows.add(row)
            if lines:
                found, error = self._run(
                    self._serving.predict_lines(endpoint, lines, first, output, timeout_s, tag)
                )
                yield from found
                if error is not None:
                    raise error
                first += len(found)

    def logs(self, endpoint: str, *, tail: int = 100, follow: bool = False) -> Iterator[LogLine]:
        """Read what the replicas wrote; with `follow` it goes on until it is closed."""
        return self._lines(self._run(self._serving.logs(endpoint, tail, follow)))

    def loadtests(self, endpoint: str | None = None) -> list[LoadTest]:
        """List load tests that the installation ran or runs, the newest first."""
        return self._run(self._testing.listed(endpoint))

    def loadtest(self, loadtest: str) -> LoadTest:
        """Read one load test by its id."""
        return self._run(self._testing.one(loadtest))

    def start_loadtest(
        self,
        endpoint: str,
        shape: Mapping[str, Any],
        objectives: Mapping[str, Any] | None = None,
        *,
        sample: Path | None = None,
        compare: Path | None = None,
        **more: Any,
    ) -> LoadTest:
        """Have the installation send a load to an endpoint; it waits for those before it.

        shape       such as {"kind": "steady", "rate": 200, "duration": "60s"}
        objectives  such as {"p95": "50ms", "error_rate": "0.1%"}; None: what the endpoint promises
        sample      rows to send: CSV, JSON or lines of JSON; None: drawn from the signature
        compare     report.json of an earlier test
        more        tag, format, rows, output, arrivals, connections, timeout, seed;
                    slo="endpoint": what it promises too
        """
        files = {"sample": sample, "compare": compare}
        plan = plan_of(endpoint, shape, objectives, files, more)
        return self._run(self._testing.start(plan))

    def cancel_loadtest(self, loadtest: str) -> LoadTest:
        """End a load test that waits or runs; what it measured is kept."""
        return self._run(self._testing.cancel(loadtest))

    def loadtest_events(self, loadtest: str, *, after: int = 0) -> Iterator[LoadTestEvent]:
        """Follow a load test until it has ended: what it told already, then what it tells.

        after  number of the event to go on behind
        """
        reader = EventReader()
        for line in self._stream(self._run(self._testing.events(loadtest, after))):
            if (event := reader.feed(line)) is not None:
                yield event

    def loadtest_report(self, loadtest: str, format: ReportFormat = "html") -> bytes:  # noqa: A002
        """Read a report of a load test that has ended."""
        return self._run(self._testing.report(loadtest, format))

    def _run(self, flow: Flow[T]) -> T:
        try:
            step = next(flow)
            while True:
                try:
                    done = self._do(step)
                except Exception as error:  # noqa: BLE001  (the flow decides what it means)
                    step = flow.throw(error)
                else:
                    step = flow.send(done)
        except StopIteration as stop:
            found: T = stop.value
            return found

    def _do(self, step: Step) -> Any:
        match step:
            case Send():
                return self._send(step)
            case Pause():
                return time.sleep(step.seconds)
            case Measure():
                return measure(step.source)
            case SignIn():
                # One asks, the others wait for its token.
                with self._signing[step.audience]:
                    kept = self._core.tokens.fresh(step.audience, step.refused)
                    return kept or self._run(self._core.tokens.fetch(step.audience, step.refused))

    def _send(self, step: Send) -> Answer:
        if step.fresh and not step.stream:
            with httpx.Client(**options(self.url)) as once:
                return self._exchange(once, step)
        return self._exchange(self._http, step)

    def _exchange(self, http: httpx.Client, step: Send) -> Answer:
        body = pieces(step.body) if isinstance(step.body, Upload) else step.body
        try:
            request = http.build_request(
                step.method, step.url, headers=step.headers, content=body, timeout=timeout(step)
            )
            response = http.send(request, stream=step.stream)
            if step.stream and response.is_error:
                response.read()
                response.close()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise failure(error, step.url) from error
        return answer_of(response, open_stream=step.stream and not response.is_error)

    def _lines(self, answer: Answer) -> Iterator[LogLine]:
        return (log_line(line) for line in self._stream(answer) if line.strip())

    def _stream(self, answer: Answer) -> Iterator[str]:
        response: httpx.Response = answer.lines
        try:
            yield from response.iter_lines()
        except httpx.HTTPError as error:
            raise lost(error, str(response.url)) from error
        finally:
            response.close()
