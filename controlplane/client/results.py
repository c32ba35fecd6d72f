"""What the SDK gives back: frozen, typed, and with the JSON they came from in `raw`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from controlplane.client.errors import BadAnswer

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Model:
    """A named line of versions."""

    name: str
    description: str
    versions: int | None
    latest_state: str | None
    latest_at: datetime | None
    created_at: datetime | None
    raw: Raw = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Raw) -> "Model":
        """Read the API's document."""
        return cls(
            name=text_in(raw, "name"),
            description=str(raw.get("description") or ""),
            versions=raw.get("versions"),
            latest_state=raw.get("latest_state"),
            latest_at=time_in(raw, "latest_at"),
            created_at=time_in(raw),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class Version:
    """One immutable upload.

    state     uploaded, building, ready or failed
    packages  all that it is loaded with, where it brought or asked for some: NAME==VERSION, wheels
    """

    model: str
    number: int
    state: str
    reason: str | None
    advice: str | None
    backend: str | None
    fallback_because: str | None
    sha256: str
    size_bytes: int
    aliases: tuple[str, ...]
    estimator: str | None
    sklearn_version: str | None
    packages: tuple[str, ...]
    created_at: datetime | None
    ready_at: datetime | None
    raw: Raw = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Raw) -> "Version":
        """Read the API's document."""
        return cls(
            model=text_in(raw, "model"),
            number=count_in(raw, "number"),
            state=text_in(raw, "state"),
            reason=raw.get("reason"),
            advice=raw.get("advice"),
            backend=raw.get("backend"),
            fallback_because=raw.get("fallback_because"),
            sha256=str(raw.get("sha256") or ""),
            size_bytes=int(raw.get("size_bytes") or 0),
            aliases=tuple(map(str, raw.get("aliases") or ())),
            estimator=raw.get("estimator"),
            sklearn_version=raw.get("sklearn_version"),
            packages=tuple(map(str, raw.get("packages") or ())),
            created_at=time_in(raw),
            ready_at=time_in(raw, "ready_at"),
            raw=raw,
        )

    @property
    def settled(self) -> bool:
        """True when the build is over, well or badly."""
        return self.state in ("ready", "failed")


@dataclass(frozen=True, slots=True)
class Revision:
    """A version as an endpoint serves it, and its share of the traffic.

    tag_url  where it alone answers, asked with the header `Knative-Serving-Tag`; None without a tag
    """

    name: str
    model: str
    version: int
    percent: int
    tag: str | None
    backend: str | None
    tag_url: str | None
    raw: Raw = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Raw) -> "Revision":
        """Read the API's document."""
        return cls(
            name=text_in(raw, "name"),
            model=str(raw.get("model") or ""),
            version=int(raw.get("version") or 0),
            percent=int(raw.get("percent") or 0),
            tag=raw.get("tag"),
            backend=raw.get("backend"),
            tag_url=raw.get("tag_url"),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class Condition:
    """Whether something holds ("True", "False", "Unknown"), why, and since when."""

    status: str
    reason: str | None
    message: str | None
    since: datetime | None

    @classmethod
    def read(cls, raw: Any) -> "Condition":
        """Read a condition; what is not there is unknown."""
        if not isinstance(raw, Mapping):
            return cls("Unknown", None, None, None)
        status = str(raw.get("status", "Unknown")).capitalize()
        return cls(status, raw.get("reason"), raw.get("message"), time_in(raw, "since"))


@dataclass(frozen=True, slots=True)
class ColdStart:
    """How long the last start from zero took, first byte to answer, and where the time went."""

    total_ms: float
    phases_ms: Mapping[str, float]

    @classmethod
    def read(cls, raw: Any) -> "ColdStart | None":
        """Read a cold start; None: there was none yet."""
        if not isinstance(raw, Mapping):
            return None
        phases = raw.get("phases_ms", raw.get("phases"))
        named = phases if isinstance(phases, Mapping) else {}
        return cls(
            float(raw.get("total_ms", raw.get("total", 0)) or 0),
            {str(k): float(v) for k, v in named.items() if isinstance(v, int | float)},
        )


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address that predicts."""

    name: str
    id: str
    url: str
    audience: str
    model: str | None
    generation: int
    observed_generation: int
    ready: Condition
    active: Condition
    replicas: int
    desired_replicas: int
    requests_total: int
    cold_start: ColdStart | None
    revisions: tuple[Revision, ...]
    created_at: datetime | None
    raw: Raw = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Raw) -> "Endpoint":
        """Read the API's document."""
        return cls(
            name=text_in(raw, "name"),
            id=str(raw.get("id") or ""),
            url=str(raw.get("url") or ""),
            audience=str(raw.get("audience") or ""),
            model=raw.get("model"),
            generation=int(raw.get("generation") or 0),
            observed_generation=int(raw.get("observed_generation") or 0),
            ready=Condition.read(raw.get("ready")),
            active=Condition.read(raw.get("active")),
            replicas=int(raw.get("replicas") or 0),
            desired_replicas=int(raw.get("desired_replicas") or 0),
            requests_total=int(raw.get("requests_total") or 0),
            cold_start=ColdStart.read(raw.get("cold_start")),
            revisions=tuple(map(Revision.read, raw.get("revisions") or ())),
            created_at=time_in(raw),
            raw=raw,
        )

    @property
    def current(self) -> bool:
        """True when the engine has seen the newest release."""
        return self.observed_generation >= self.generation

    def url_of(self, tag: str | None) -> str | None:
        """Give where a tag's revision answers, without one the endpoint; None: nowhere yet."""
        if tag is None:
            return self.url or None
        return next((one.tag_url for one in self.revisions if one.tag == tag), None)

    @property
    def is_ready(self) -> bool:
        """True when the newest release serves, or would wake to serve."""
        return self.current and self.ready.status == "True" and bool(self.url)


@dataclass(frozen=True, slots=True)
class Release:
    """One change of an endpoint, which can be rolled back.

    reason  why the installation made it, where nobody asked for it
    """

    number: int
    endpoint: str
    action: str
    current: bool
    reason: str | None
    revisions: tuple[Revision, ...]
    created_at: datetime | None
    created_by: str | None
    raw: Raw = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Raw) -> "Release":
        """Read the API's document."""
        return cls(
            number=count_in(raw, "number"),
            endpoint=str(raw.get("endpoint") or ""),
            action=str(raw.get("action") or ""),
            current=bool(raw.get("current")),
            reason=raw.get("reason"),
            revisions=tuple(map(Revision.read, raw.get("revisions") or ())),
            created_at=time_in(raw),
            created_by=raw.get("created_by"),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of the installation; `verdict` is ok, warn or fail."""

    name: str
    verdict: str
    message: str
    advice: str
    raw: Raw = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Raw) -> "Finding":
        """Read the API's document."""
        return cls(
            name=text_in(raw, "name"),
            verdict=text_in(raw, "verdict"),
            message=str(raw.get("message") or ""),
            advice=str(raw.get("advice") or ""),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key.

    key         itself, only in the answer that made it
    endpoint    the one it opens; None: it is exchanged for tokens
    created_by  whoever made it, by name where there is one
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    endpoint: str | None
    created_by: str
    created_at: datetime | None
    expires_at: datetime | None
    last_used_at: datetime | None
    key: str | None = field(repr=False)
    raw: Raw = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Raw) -> "ApiKey":
        """Read the API's document."""
        return cls(
            id=text_in(raw, "id"),
            name=text_in(raw, "name"),
            scopes=tuple(map(str, raw.get("scopes") or ())),
            endpoint=raw.get("endpoint"),
            created_by=str(raw.get("created_by_name") or raw.get("created_by") or ""),
            created_at=time_in(raw),
            expires_at=time_in(raw, "expires_at"),
            last_used_at=time_in(raw, "last_used_at"),
            key=raw.get("key"),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One change: `subject` did `action` to `target`; `name` is the subject as people read it."""

    at: datetime | None
    action: str
    target: str
    subject: str
    name: str | None
    address: str
    detail: Raw
    raw: Raw = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Raw) -> "AuditEvent":
        """Read the API's document."""
        return cls(
            at=time_in(raw, "at"),
            action=text_in(raw, "action"),
            target=text_in(raw, "target"),
            subject=text_in(raw, "subject"),
            name=raw.get("subject_name"),
            address=str(raw.get("address") or ""),
            detail=raw.get("detail") or {},
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something is as it is. `ok`: idle, starting and serving are no faults.

    about  what it tells of, such as `endpoint:iris` or `version:iris:7`
    """

    about: str
    reason: str
    ok: bool
    message: str
    evidence: tuple[str, ...]
    next_step: str
    raw: Raw = field(repr=False, compare=False)

    @property
    def endpoint(self) -> str:
        """Give the endpoint's name, where it is about one."""
        kind, _, name = self.about.partition(":")
        return name if kind == "endpoint" else ""

    @classmethod
    def read(cls, raw: Raw) -> "Cause":
        """Read the API's document."""
        return cls(
            about=str(raw.get("about") or f"endpoint:{raw.get('endpoint')}"),
            reason=text_in(raw, "reason"),
            ok=raw.get("ok") is True,
            message=str(raw.get("message") or ""),
            evidence=tuple(map(str, raw.get("evidence") or ())),
            next_step=str(raw.get("next_step") or ""),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that a replica wrote; `members`: level, request_id, trace_id, … where it says."""

    at: datetime | None
    replica: str
    text: str
    members: Raw
    raw: Raw = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Raw) -> "LogLine":
        """Read one line of the stream."""
        replica, text = str(raw.get("replica") or ""), str(raw.get("text", ""))
        return cls(time_in(raw, "at"), replica, text, raw.get("members") or {}, raw)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls. `tenants`: names and roles of a person; a program is of `tenant` alone."""

    subject: str
    email: str | None
    name: str | None
    tenant: str | None
    role: str | None
    scopes: tuple[str, ...]
    tenants: tuple[tuple[str, str], ...]
    raw: Raw = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Raw) -> "Identity":
        """Read the API's document."""
        return cls(
            subject=text_in(raw, "subject"),
            email=raw.get("email"),
            name=raw.get("name"),
            tenant=raw.get("tenant"),
            role=raw.get("role"),
            scopes=tuple(raw.get("scopes") or ()),
            tenants=tuple(
                (text_in(joined, "name"), text_in(joined, "role"))
                for joined in raw.get("tenants") or ()
            ),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a tenant; `role` is owner, admin, developer or viewer."""

    id: str
    email: str
    name: str
    role: str
    joined_at: datetime | None
    raw: Raw = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Raw) -> "Member":
        """Read the API's document."""
        return cls(
            id=text_in(raw, "id"),
            email=text_in(raw, "email"),
            name=text_in(raw, "name"),
            role=text_in(raw, "role"),
            joined_at=time_in(raw, "joined_at"),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody who may join. `link` is known from making it, and never again."""

    id: str
    tenant: str
    email: str | None
    role: str
    invited_by: str
    expires_at: datetime | None
    link: str | None = field(repr=False)
    raw: Raw = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Raw) -> "Invitation":
        """Read the API's document."""
        return cls(
            id=text_in(raw, "id"),
            tenant=text_in(raw, "tenant"),
            email=raw.get("email"),
            role=text_in(raw, "role"),
            invited_by=text_in(raw, "invited_by"),
            expires_at=time_in(raw, "expires_at"),
            link=raw.get("link"),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody with an account at this installation."""

    id: str
    email: str
    name: str
    disabled: bool
    created_at: datetime | None
    raw: Raw = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Raw) -> "Account":
        """Read the API's document."""
        return cls(
            id=text_in(raw, "id"),
            email=text_in(raw, "email"),
            name=text_in(raw, "name"),
            disabled=raw.get("disabled") is True,
            created_at=time_in(raw),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class PasswordLink:
    """With `link` somebody sets a password, once."""

    email: str
    expires_at: datetime | None
    link: str = field(repr=False)
    raw: Raw = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Raw) -> "PasswordLink":
        """Read the API's document."""
        return cls(text_in(raw, "email"), time_in(raw, "expires_at"), text_in(raw, "link"), raw)


def text_in(raw: Raw, name: str) -> str:
    value = raw.get(name)
    if not isinstance(value, str):
        raise BadAnswer(f"The server's answer has no {name!r}: {str(dict(raw))[:200]}")
    return value


def count_in(raw: Raw, name: str) -> int:
    value = raw.get(name)
    if type(value) is not int:
        raise BadAnswer(f"The server's answer has no {name!r}: {str(dict(raw))[:200]}")
    return value


def time_in(raw: Raw, name: str = "created_at") -> datetime | None:
    value = raw.get(name)
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, int | float):
        # The engine's logs count seconds since 1970.
        return datetime.fromtimestamp(value, UTC)
    return None


def time_text(moment: datetime | None) -> str | None:
    # Without a zone it is the caller's own, as everywhere in Python.
    return None if moment is None else moment.astimezone().isoformat()
