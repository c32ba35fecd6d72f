"""The application: every domain with its routes, and what runs beside the requests."""

import asyncio
import contextlib
import functools
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse

from controlplane import dashboard, database, pages, postgres, problems, telemetry, tracing, wakes
from controlplane.accounts import administration, browsers, external
from controlplane.accounts import routes as account_routes
from controlplane.accounts import service as accounts
from controlplane.accounts.openid import OpenId, Provider
from controlplane.accounts.passwords import Passwords
from controlplane.accounts.resets import Resets
from controlplane.accounts.throttle import Devices
from controlplane.api_keys import routes as api_key_routes
from controlplane.api_keys.service import ApiKeys
from controlplane.artifacts.store import Store
from controlplane.assembly import Assembly, assemble, limits_of, prices_of
from controlplane.audit import routes as audit_routes
from controlplane.audit.denials import Denials
from controlplane.builder.job import Builder
from controlplane.callers import (
    PLATFORM_TENANT,
    Callers,
    CurrentCaller,
    StandingOf,
    Visitor,
    authorise,
    require_platform,
)
from controlplane.edge.about import Health, Info, Preflight, ProblemKind, Readiness
from controlplane.edge.content_types import check_content_type, check_texts
from controlplane.edge.guard import guard
from controlplane.edge.operations import file, gives
from controlplane.edge.reference import describe
from controlplane.endpoints import routes as endpoint_routes
from controlplane.endpoints import service as endpoints
from controlplane.endpoints.trying import Trier
from controlplane.engines.engine import Engine
from controlplane.engines.preflight import Finding
from controlplane.files import write_durably
from controlplane.leading import Leading, Leases
from controlplane.loadtests import routes as loadtest_routes
from controlplane.loadtests.news import News
from controlplane.models import routes as model_routes
from controlplane.models import service as models
from controlplane.models.storage import Storage
from controlplane.oauth import consent, keys
from controlplane.oauth import routes as oauth_routes
from controlplane.oauth.allowed import Allowed
from controlplane.oauth.clients import NewClient
from controlplane.oauth.service import OAuth
from controlplane.oauth.throttle import Throttle
from controlplane.payloads import routes as payload_routes
from controlplane.payloads.taking import Site
from controlplane.permissions import ALL_SCOPES, rule
from controlplane.preflight import Look, preflight, sandbox, sandbox_of_pods
from controlplane.quotas import routes as quota_routes
from controlplane.quotas import service as quota_service
from controlplane.rates import Rates
from controlplane.reconciler import loadtests
from controlplane.reconciler.leader import Duties, Work
from controlplane.rollouts import routes as rollout_routes
from controlplane.scraping import TEXT, Scraping
from controlplane.settings import EngineKind, Settings
from controlplane.subjects import Subjects
from controlplane.tenants import invitations, joining, member_routes
from controlplane.tenants import routes as tenant_routes
from controlplane.tenants import service as tenants
from controlplane.tenants.limits import BURST_S
from controlplane.tenants.service import Quotas
from controlplane.usage import routes as usage_routes
from controlplane.usage.service import Kept
from controlplane.wakes import Wake
from controlplane.webhooks import routes as webhook_routes
from controlplane.webhooks.addresses import networks
from controlplane.webhooks.sending import Sender
from runtime.problems import Forbidden, NotFound, Problem, Starting
from runtime.sandbox import detect


def database_url(settings: Settings) -> str:
    """Give the URL of the database: the one that was set, or our own."""
    if settings.database_url is None:
        return postgres.url(settings.home)
    url = settings.database_url.get_secret_value()
    scheme, _, rest = url.partition("://")
    return f"asyncpg://{rest}" if scheme in ("postgres", "postgresql") else url


def create_app(
    settings: Settings,
    *,
    engine: Engine | None = None,
    store: Store | None = None,
    builder: Builder | None = None,
    leases: Leases | None = None,
    clock: Callable[[], float] = lambda: datetime.now(UTC).timestamp(),
) -> FastAPI:
    """Build the application; what is not given is made from the settings."""
    made = assemble(settings, engine=engine, store=store, builder=builder)
    engine, store = made.engine, made.store
    secret = settings.signing_bytes or keys.read_or_make_secret(
        settings.home / "secrets" / "signing"
    )
    standing: dict[str, StandingOf] = {}
    api_keys = ApiKeys(settings.public_url, standing, endpoints.id_of)
    oauth = OAuth(
        issuer=settings.public_url,
        secret=secret,
        lives=(settings.api_token_s, settings.predict_token_s),
        endpoint_exists=endpoints.exists,
        clock=lambda: datetime.fromtimestamp(clock(), UTC),
        keys=api_keys,
        throttle=Throttle(settings.oauth_rate, settings.oauth_client_rate),
    )
    quotas = Quotas(limits_of(settings))
    storage = Storage(quotas, quota_service.kept)
    standing |= oauth.standing
    usage_kept = Kept(
        timedelta(days=settings.usage_days), timedelta(days=settings.usage_hourly_days)
    )
    duties = Duties(
        store,
        engine,
        made.builds,
        settings.builds_at_once,
        oauth,
        settings.public_url,
        storage,
        changes=made.changes,
        exchange=made.exchange,
        reports=made.reports,
        shelf=made.shelf,
        loadtests=_loadtests(settings, made, store, engine, oauth),
        ingress=settings.ingress_url,
        payload_forms=made.payload_forms,
        payloads=Site(
            made.inbox,
            made.objects,
            storage,
            settings.home / "work" / "payloads",
            settings.payloads_every_s,
        ),
        audit_kept=timedelta(days=settings.audit_days),
        usage_kept=usage_kept,
        sender=Sender(networks(settings.webhook_networks)),
    )
    news = News()
    parts = Parts(settings, engine, made.builder, Work(duties), leases or made.leases, news)
    app = FastAPI(
        title="KubeServe",
        version=version("kubeserve"),
        lifespan=parts.lifespan,
        dependencies=[Depends(authorise), Depends(check_content_type), Depends(check_texts)],
        redirect_slashes=False,  # it would be 307, which sends secrets on, to where Host says
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings, app.state.store, app.state.engine = settings, store, engine
    app.state.oauth, app.state.parts, app.state.objects = oauth, parts, made.objects
    app.state.api_keys, app.state.sealing = api_keys, oauth
    app.state.subjects = Subjects(
        {"client": oauth.clients.names, "user": accounts.emails, "key": api_keys.names}
    )
    _let_people_in(app, settings, secret, clock)
    app.state.loadtest_news, app.state.no_loadtests = news, _no_loadtests(made)
    url = settings.public_url
    app.state.callers = Callers(
        url, url, oauth.verifying, oauth.standing, oauth.is_revoked, _visitor, clock
    )
    _let_wake(app, parts.work)
    app.state.quotas, app.state.storage, app.state.prices = quotas, storage, prices_of(settings)
    app.state.usage_kept, app.state.no_payloads = usage_kept, made.no_payloads
    app.state.webhook_networks = duties.sender.own
    app.state.rates = Rates(quotas.rate, BURST_S, time.monotonic)
    app.state.preflight = functools.partial(
        preflight,
        {
            "database": database.ping,
            "artifact store": store.ping,
            "engine": engine.observe_all,
        },
        _looks(settings, made),
    )
    problems.install(app)
    browsers.install(app)
    _keep_denials(app)
    for routes in (
        *(account_routes, external, oauth_routes, consent, tenant_routes, member_routes, joining),
        *(api_key_routes, audit_routes, model_routes, endpoint_routes, rollout_routes),
        *(quota_routes, usage_routes, loadtest_routes, webhook_routes, payload_routes),
    ):
        app.include_router(routes.router)
    for more in (administration.router, administration.link_router):
        app.include_router(more)
    _own_routes(app, parts)
    guard(app, settings)
    check_rules(app)
    describe(app, settings.public_url)
    return app


def _let_wake(app: FastAPI, work: Work) -> None:
    """Those who wrote need not wait for the database's word to come back."""
    app.state.wake_builds = lambda: work.wake(Wake.VERSIONS)
    app.state.wake_endpoint = lambda key: work.wake(Wake.ENDPOINT, str(key))
    app.state.publish_keys = work.publish_keys
    app.state.publish_limits = work.publish_limits


def _let_people_in(
    app: FastAPI, settings: Settings, secret: bytes, clock: Callable[[], float]
) -> None:
    """Give the routes what people sign in with, and what they allowed."""
    oauth: OAuth = app.state.oauth
    app.state.trier = Trier(oauth.token_for, settings.ingress_url)
    applications = app.state.applications = Allowed(oauth.clients, app.state.api_keys, oauth.clock)
    app.state.passwords, app.state.resets = Passwords(), Resets(secret, applications)
    app.state.browsers = browsers.Browsers(settings.public_url, Devices(secret), clock)
    app.state.openid, app.state.is_invited = _openid(settings, clock), invitations.is_invited


def _openid(settings: Settings, clock: Callable[[], float]) -> OpenId | None:
    """Give the provider that people may sign in with, if there is one."""
    client_id, secret = settings.oidc_client_id, settings.oidc_client_secret
    if settings.oidc_issuer is None or client_id is None or secret is None:
        return None
    provider = Provider(
        settings.oidc_issuer,
        client_id,
        secret.get_secret_value(),
        f"{settings.public_url}/login/external/callback",
        settings.oidc_name,
        frozenset(filter(None, settings.oidc_allowed_domains.split(","))),
    )
    return OpenId(provider, clock)


def _no_loadtests(made: Assembly) -> str | None:
    """Say why this installation runs no load tests; None: it does."""
    return made.programs if isinstance(made.programs, str) else None


def _loadtests(
    settings: Settings, made: Assembly, store: Store, engine: Engine, oauth: OAuth
) -> loadtests.Site | None:
    """Give where load tests are run; None: they are not."""
    if isinstance(made.programs, str):
        return None
    return loadtests.Site(
        settings.home / "work" / "loadtests",
        made.programs,
        store,
        engine,
        settings.public_url,
        oauth.token_for,
        oauth.predict_token_s,
        settings.loadtests_at_once,
    )


async def _visitor(request: Request) -> Visitor | None:
    """Give who is signed in with a browser, for calls of the API that bring no token."""
    browser = await browsers.browsers(request).of(request)
    if browser is None:
        return None
    joined = await tenants.tenants_of(browser.person.id)
    return Visitor(str(browser.person.id), tuple(name for name, _ in joined))


def _looks(settings: Settings, made: Assembly) -> list[tuple[str, Look]]:
    """Give what preflight has a look at: the sandbox, and the cluster where there is one."""
    required = settings.sandbox == "required"

    async def sandboxed() -> tuple[Finding, ...]:
        if made.builder is None:  # in pods: what held the last one is all that is known here
            return sandbox_of_pods(await models.last_layers_of_all(), required=required)
        return sandbox(await asyncio.to_thread(detect), required=required)

    cluster: list[tuple[str, Look]] = [("cluster", made.preflight)] if made.preflight else []
    return [("sandbox", sandboxed), *cluster]


def _keep_denials(app: FastAPI) -> None:
    """Write a refused change to the audit log before it is answered."""
    denials = Denials()

    @app.exception_handler(Forbidden)
    async def of_forbidden(request: Request, error: Forbidden) -> JSONResponse:
        caller = getattr(request.state, "caller", None)
        if caller is not None:
            route = request.scope["route"].path
            await denials.record(caller, request.method, route, error.detail)
        return problems.answer(error, request)


def routes_of(app: FastAPI) -> list[tuple[str, str]]:
    """List every route as (METHOD, path), included routers too."""
    paths: dict[str, dict[str, Any]] = app.openapi()["paths"]
    return sorted((method.upper(), path) for path, methods in paths.items() for method in methods)


def check_rules(app: FastAPI) -> None:
    """Refuse to start with a route that the table of permissions does not know."""
    missing = [f"{method} {path}" for method, path in routes_of(app) if rule(method, path) is None]
    if missing:
        raise RuntimeError(f"routes without a rule in permissions.py: {missing}")


class Parts:
    """What runs beside the requests: the work of the leader, and what every replica does."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        builder: Builder | None,
        work: Work,
        leases: Leases | None,
        news: News,
    ) -> None:
        self.settings, self.engine, self.builder = settings, engine, builder
        self._news = news
        self.store, self.oauth = work.duties.store, work.duties.oauth
        self.work, self.leases = work, leases
        self.leading = Leading(leases, work.run)
        work.may_act = self.leading.leads
        self.scraping = Scraping(settings, engine, self.store, self.leading.leads)
        if self.scraping.token is not None:
            self.oauth.let_read_metrics(self.scraping.token)
        self.ready = False

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        """Connect, make what the first start needs, run the loops, end them all."""
        tracing.start()
        url = database_url(self.settings)
        await database.open_database(url)
        tasks: list[asyncio.Task[None]] = []
        try:
            await self._first_start()
            jobs = [self.leading.run(), wakes.listen(url, self._heard), self.scraping.watch()]
            if self.builder is not None:
                jobs.insert(0, self.builder.start())
            tasks = [asyncio.create_task(job) for job in jobs]
            self.ready = True
            yield
        finally:
            self.ready = False
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._say_good_bye()
            if self.builder is not None:
                await self.builder.close()
            await database.close_database()
            await asyncio.to_thread(tracing.stop)

    def _heard(self, wake: Wake, key: str) -> None:
        if wake in (Wake.LEADER, Wake.ALL):
            self.leading.look()
        if wake in (Wake.LOADTEST, Wake.ALL):
            self._news.tell(key or None)
        self.work.wake(wake, key)

    async def _say_good_bye(self) -> None:
        """Let another replica lead at once; without it, it does when it looks next."""
        if self.leases is None:
            return
        try:
            async with asyncio.timeout(1):
                await wakes.tell(Wake.LEADER)
        except Exception as error:  # noqa: BLE001  (the database may be the reason for our end)
            telemetry.log.warning("the other replicas were not told: %s", error)

    async def _first_start(self) -> None:
        """Make signing key, first tenant and its administrator; replicas take turns."""
        async with database.start_lock():
            await self.oauth.keyring.ensure()
            tenant = await tenants.find(PLATFORM_TENANT) or await tenants.create(PLATFORM_TENANT)
            named, secret = self.settings.admin_client_id, self.settings.admin_client_secret
            if named is not None and secret is not None:
                await self.oauth.clients.ensure_administrator(
                    tenant.id, named, secret.get_secret_value()
                )
                self.oauth.clients.installation = named
                return
            credentials = self.settings.home / "credentials.json"
            self.oauth.clients.installation = await self._known(credentials)
            if self.oauth.clients.installation is not None:
                return
            wanted = NewClient("first administrator", ALL_SCOPES)
            client = await self.oauth.clients.create(None, tenant, wanted)
            self.oauth.clients.installation = client.id
            document = {
                "url": self.settings.public_url,
                "client_id": client.id,
                "client_secret": client.secret,
                "tenant": tenant.name,
            }
            await _write(credentials, document)

    async def _known(self, credentials: Path) -> str | None:
        """Name the file's client, if there is one; its address is brought up to date."""
        try:
            document = json.loads(await asyncio.to_thread(credentials.read_text))
            if not await self.oauth.clients.is_live(document["client_id"]):
                return None
        except (OSError, ValueError, KeyError):
            return None
        if document.get("url") != self.settings.public_url:
            document["url"] = self.settings.public_url
            await _write(credentials, document)
        return str(document["client_id"])

    async def check_ready(self) -> None:
        """Raise Starting, naming what is not there yet."""
        if not self.ready:
            raise Starting("The application is starting.", retry_after_s=1)
        if self.leading.leads() and not self.work.keys_published:
            raise Starting("The engine has not taken the signing keys yet.", retry_after_s=1)
        checks: dict[str, Coroutine[Any, Any, object]] = {
            "the database": database.ping(),
            "the artifact store": self.store.ping(),
        }
        if self.settings.engine is EngineKind.EMBEDDED:
            # A cluster that is away takes no replica away with it: rows are written all the same.
            checks["the engine"] = self.engine.observe_all()
        for what, check in checks.items():
            try:
                async with asyncio.timeout(2):
                    await check
            except Exception as error:
                telemetry.log.warning("%s does not answer: %s", what, error)
                for rest in checks.values():
                    rest.close()
                raise Starting(f"{what} does not answer.", retry_after_s=1) from error


def _own_routes(app: FastAPI, parts: Parts) -> None:
    dashboard.add_pages(app)
    kinds = {kind.type.rsplit("/", 1)[1]: kind for kind in _kinds(Problem)}
    began = time.monotonic()

    @app.get("/healthz", tags=["health"], **gives(Health))
    async def healthz() -> dict[str, Any]:
        return {"status": "ok", "uptime_s": round(time.monotonic() - began, 1)}

    @app.get("/readyz", tags=["health"], **gives(Readiness))
    async def readyz() -> dict[str, Any]:
        await parts.check_ready()
        return {"status": "ready"}

    @app.get(
        "/metrics", tags=["health"], response_class=Response, responses={200: file("text/plain")}
    )
    async def metrics(request: Request) -> Response:
        """Tell Prometheus of the control plane and, on one machine, of all endpoints.

        Of all tenants, so it takes a bearer token of its own: KUBESERVE_METRICS_TOKEN, or on one
        machine what is in HOME/metrics-token.
        """
        parts.scraping.check(request)
        return Response(await parts.scraping.text(), media_type=TEXT)

    @app.get("/v1/info", tags=["health"], **gives(Info))
    async def info(request: Request) -> dict[str, Any]:
        settings: Settings = request.app.state.settings
        return {
            "version": version("kubeserve"),
            "engine": str(settings.engine),
            "issuer": settings.public_url,
            "sandbox": settings.sandbox,
            "limits": {
                "upload_bytes": settings.max_upload_bytes,
                "build_memory_bytes": settings.build_memory_bytes,
                "build_wall_s": settings.build_wall_s,
            },
        }

    @app.get("/v1/admin/preflight", tags=["health"], **gives(Preflight))
    async def look(caller: CurrentCaller, request: Request) -> dict[str, Any]:
        """Check what the installation stands on; for the platform's administrators."""
        require_platform(caller)
        return {"items": await request.app.state.preflight()}

    @app.get(
        "/assets/{name}",
        tags=["health"],
        response_class=FileResponse,
        responses={200: file("text/css", "image/svg+xml")},
    )
    async def asset(name: str) -> FileResponse:
        """Give what our pages are shown with."""
        if name not in pages.ASSETS:
            raise NotFound(f"There is no asset {name[:60]!r}.")
        return FileResponse(pages.ASSETS[name], headers=pages.OF_ASSETS)

    @app.get("/problems/{name}", tags=["health"], **gives(ProblemKind))
    async def problem(name: str) -> dict[str, Any]:
        """Explain a problem type."""
        kind = kinds.get(name)
        if kind is None:
            raise NotFound(f"There is no problem {name!r}; there are {sorted(kinds)}.")
        return {"type": kind.type, "status": kind.status, "title": kind.title}


def _kinds(kind: type[Problem]) -> list[type[Problem]]:
    return [found for sub in kind.__subclasses__() for found in (sub, *_kinds(sub))]


async def _write(credentials: Path, document: dict[str, Any]) -> None:
    await asyncio.to_thread(write_durably, credentials, json.dumps(document, indent=2).encode())
