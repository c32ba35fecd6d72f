"""Every setting of the control plane, read once from KUBESERVE_ variables and handed down."""

import base64
import binascii
import difflib
import os
import re
import ssl
import sys
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

MIB: Final = 1 << 20
DAY_S: Final = 86_400
PREFIX: Final = "KUBESERVE_"
# Of the SDK and the command line, and what the keeper tells its children.
NOT_OURS: Final = {
    "KUBESERVE_URL",
    "KUBESERVE_CLIENT_ID",
    "KUBESERVE_CLIENT_SECRET",
    "KUBESERVE_API_KEY",
    "KUBESERVE_INGRESS",
    "KUBESERVE_KEEPER_PID",
}
# Kubernetes sets these in every pod beside a Service of our name.
SERVICE_LINK: Final = re.compile(r"KUBESERVE_(\w+_)?(SERVICE_\w+|PORT(_\d+_\w+)?)")
LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
HOST_NAME: Final = re.compile(rf"{LABEL}(\.{LABEL})*")
ORIGIN: Final = re.compile(rf"https?://({LABEL}(\.{LABEL})*|\[[0-9a-f:]+\])(:[0-9]{{1,5}})?")
BY_DIGEST: Final = re.compile(r"\S+@sha256:[0-9a-f]{64}")
CLIENT_ID: Final = re.compile(r"ks-[0-9a-f]{16}")
SIGNING_SECRET_BYTES: Final = 32
MOST_ENVIRONMENTS: Final = 99
LEAST_CLIENT_SECRET: Final = 32  # characters; it is never typed by hand
METRICS_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]{16,256}")
POD_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def default_home() -> Path:
    """Give the folder that keeps everything on one machine."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "kubeserve"


class EngineKind(StrEnum):
    """What endpoints run on."""

    EMBEDDED = "embedded"
    KNATIVE = "knative"


class Settings(BaseSettings):
    """One frozen object; a setting that cannot be honoured ends the start with its name."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    home: Path = Field(default_factory=default_home, description="Folder for everything kept.")
    listen: str = Field("127.0.0.1:8080", description="HOST:PORT of the API.")
    issuer: str | None = Field(None, description="Public address of the API, if not http://LISTEN.")
    database_url: SecretStr | None = Field(None, description="postgres://… instead of our own.")
    store: SecretStr | None = Field(None, description="s3://KEY:SECRET@HOST/BUCKET, not a folder.")
    ports: str = Field("18100-18999", description="Ports of the embedded engine's endpoints.")
    max_upload_bytes: int = Field(500 * MIB, gt=0, description="Size of a model file at most.")
    build_memory_bytes: int = Field(2048 * MIB, gt=0, description="Memory of one build at most.")
    build_wall_s: float = Field(120.0, gt=0, description="Seconds of one build at most.")
    builds_at_once: int = Field(1, ge=1, le=16, description="Builds running side by side.")
    environments: str = Field(
        "8",
        description="Environments of other scikit-learn versions kept at most, or off. On"
        " Knative they are in the object store, for as long as they are used.",
    )
    sandbox: str = Field("required", description="required, or degraded: build without its layers.")
    api_token_s: int = Field(900, ge=60, le=DAY_S, description="Life of a token for the API.")
    predict_token_s: int = Field(300, ge=60, le=DAY_S, description="… for one endpoint.")
    oauth_rate: int = Field(
        20,
        ge=1,
        description="Requests to /oauth2 each second of one address that are refused, or begin or"
        " end something, and ten times as many at once.",
    )
    oauth_client_rate: int = Field(
        1000, ge=1, description="… of one client that are answered with a token, or about one."
    )
    audit_days: int = Field(365, ge=1, le=36_500, description="Days the audit log is kept.")
    payloads_every_s: float = Field(
        60.0, ge=1, le=3600, description="Seconds that logged requests wait for a file of them."
    )
    usage_days: int = Field(1095, ge=32, le=36_500, description="Days usage is kept.")
    usage_hourly_days: int = Field(92, ge=1, le=36_500, description="… by hours; then by days.")
    signing_secret: SecretStr | None = Field(
        None, description="Base64 of 32 bytes that seal the signing keys, not one in HOME."
    )
    signing_secret_file: Path | None = Field(None, description="… in a file.")
    admin_client_id: str | None = Field(
        None, description="Administrator that a Secret names, instead of HOME/credentials.json."
    )
    admin_client_secret: SecretStr | None = Field(
        None, description="Its secret; another one here takes the place of the old one."
    )
    metrics_token: SecretStr | None = Field(
        None, description="What a Prometheus sends for /metrics; on one machine HOME has one."
    )
    proxies: str = Field(
        "127.0.0.1", description="Addresses or networks whose X-Forwarded-For is believed."
    )
    oidc_issuer: str | None = Field(None, description="OpenID provider to sign in with.")
    oidc_client_id: str | None = Field(None, description="This installation's id there.")
    oidc_client_secret: SecretStr | None = Field(None, description="Its secret there.")
    oidc_name: str = Field("single sign-on", description="What people call it.")
    oidc_allowed_domains: str = Field(
        "", description="Domains of e-mail addresses that may sign in there; all if empty."
    )
    engine: EngineKind = Field(EngineKind.EMBEDDED, description="embedded, or knative.")
    runtime_image: str | None = Field(None, description="Image of endpoints on Knative.")
    builder_image: str | None = Field(None, description="Image of builds and of fallbacks there.")
    images_by_tag: bool = Field(False, description="Take images that are not named by digest.")
    kubeconfig: Path | None = Field(None, description="Reaches the cluster; not in a pod.")
    namespace: str = Field(
        "", validate_default=True, description="Of this installation; a pod knows its own."
    )
    instance: str = Field(
        "", validate_default=True, description="Tells our objects from another installation's."
    )
    namespace_prefix: str = Field("", description="Before a tenant's name in its namespace.")
    caller_namespaces: str = Field(
        "knative-serving,kourier-system,monitoring",
        description="Namespaces that reach endpoints' pods: Knative, its ingress, Prometheus.",
    )
    fetch_url: str | None = Field(
        None, description="Address of the object store as tenants' pods see it."
    )
    fetch_keys: SecretStr | None = Field(
        None, description="KEY:SECRET that read the store's tenants/, where it is no MinIO."
    )
    fetch_region: str = Field("us-east-1", description="Region of the object store.")
    tenant_cpu_millis: int = Field(16_000, ge=500, description="CPU of one tenant at most.")
    tenant_memory_mib: int = Field(32 * 1024, ge=512, description="Memory of one tenant.")
    ingress_url: str | None = Field(
        None,
        description="Where the control plane reaches endpoints, if not by their names: an ingress.",
    )
    start_deadline_s: int = Field(
        600, ge=10, le=86400, description="Seconds for a version's first pod to become ready."
    )
    standby_s: float = Field(
        600, ge=0, le=3600, description="Seconds a builder waits for a tenant's next push; 0: none."
    )
    tenant_pods: int = Field(
        100, ge=1, description="Pods of one tenant at most; workers on this machine."
    )
    tenant_models: int = Field(1000, ge=0, description="Models of one tenant at most.")
    tenant_endpoints: int = Field(1000, ge=0, description="Endpoints of one tenant at most.")
    tenant_storage_bytes: int = Field(
        50 * 1024 * MIB, ge=0, description="Uploads and plans of one tenant at most."
    )
    tenant_builds: int = Field(4, ge=1, description="Builds of one tenant side by side.")
    tenant_requests_per_s: int = Field(
        100, ge=1, description="Requests of one tenant to a replica of the API each second."
    )
    tenant_loadtests: int = Field(
        2, ge=0, description="Load tests of one tenant that wait or run at a time."
    )
    tenant_loadtest_rate: int = Field(
        1000, ge=1, description="Requests a second that one load test sends at most."
    )
    tenant_loadtest_s: int = Field(3600, ge=1, description="Seconds that one load test takes.")
    tenant_webhooks: int = Field(20, ge=0, description="Webhooks of one tenant at most.")
    webhook_networks: str = Field(
        "", description="Private networks that webhooks may lead to, also by http: 10.1.0.0/16,…"
    )
    loadtests_at_once: int = Field(
        1, ge=1, le=16, description="Load tests running side by side; more disturb each other."
    )
    loadtest_generators: int = Field(
        4, ge=1, le=64, description="Processes that send the requests of one load test at most."
    )
    loadtest_image: str | None = Field(
        None, description="Image of load tests' pods: the control plane's. None: no load tests."
    )
    loadtest_cpu_millis: int = Field(
        500, ge=1, description="CPU that each pod of a load test asks for; it may use two."
    )
    loadtest_memory_mib: int = Field(384, ge=64, description="Memory of each pod of a load test.")
    loadtest_ingress: str | None = Field(
        None, description="Address of the ingress for load tests' pods; None: the cluster's own."
    )
    loadtest_reach: str = Field(
        "", description="Namespaces and CIDR blocks where the ingress is; those of the callers."
    )
    autoscaler_metrics: str | None = Field(
        None, description="Address of the metrics of Knative's autoscaler, for load tests' reports."
    )
    price_cpu_hour: float | None = Field(
        None, ge=0, description="Of one CPU for an hour, for estimates of cost."
    )
    price_gib_hour: float | None = Field(
        None, ge=0, description="Of one GiB of memory for an hour; both or none."
    )
    access_log: bool = Field(False, description="Write a line for each request of the API.")
    cors_origins: str = Field(
        "", description="Web pages that may call the API from browsers: https://HOST,… ; none."
    )
    gateway: bool = Field(False, description="One port before all endpoints; `up --gateway`.")
    gateway_listen: str = Field("127.0.0.1:8081", description="IP:PORT of the gateway.")
    gateway_host: str | None = Field(None, description="Its name: ENDPOINT.TENANT.HOST.")
    gateway_certificate: Path | None = Field(None, description="PEM file: the gateway speaks TLS.")
    gateway_key: Path | None = Field(
        None, validate_default=True, description="PEM file of the certificate's key."
    )

    @field_validator("home")
    @classmethod
    def _home(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("issuer")
    @classmethod
    def _issuer(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "http://host")
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise ValueError("must be an address such as https://kube.example.com")
        return value

    @field_validator("cors_origins")
    @classmethod
    def _cors_origins(cls, value: str) -> str:
        origins = [origin.strip() for origin in value.split(",") if origin.strip()]
        if not all(ORIGIN.fullmatch(origin) for origin in origins):
            raise ValueError(
                "must be origins such as https://app.example.com, in small letters, without path, "
                "with commas between"
            )
        return ",".join(origins)

    @field_validator("database_url")
    @classmethod
    def _database_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith(("postgres://", "postgresql://")):
            raise ValueError("must be postgres://USER:PASSWORD@HOST/DATABASE")
        return value

    @field_validator("store")
    @classmethod
    def _store(cls, value: SecretStr | None) -> SecretStr | None:
        parts = urlsplit(value.get_secret_value() if value else "s3://host/bucket")
        if parts.scheme != "s3" or not parts.hostname or not parts.path.strip("/"):
            raise ValueError("must be s3://KEY:SECRET@HOST[:PORT]/BUCKET")
        return value

    @field_validator("listen")
    @classmethod
    def _listen(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError("must be HOST:PORT, e.g. 127.0.0.1:8080")
        return value

    @field_validator("ports")
    @classmethod
    def _ports(cls, value: str) -> str:
        low, _, high = value.partition("-")
        if not (low.isdigit() and high.isdigit() and 1024 <= int(low) <= int(high) < 65536):
            raise ValueError("must be a range such as 18100-18999")
        return value

    @field_validator("environments")
    @classmethod
    def _environments(cls, value: str) -> str:
        if value != "off" and not (value.isdecimal() and 1 <= int(value) <= MOST_ENVIRONMENTS):
            raise ValueError(f"must be off, or how many are kept: 1 to {MOST_ENVIRONMENTS}")
        return value

    @field_validator("sandbox")
    @classmethod
    def _sandbox(cls, value: str) -> str:
        if value not in ("required", "degraded"):
            raise ValueError("must be required or degraded")
        return value

    @field_validator("signing_secret")
    @classmethod
    def _signing_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            signing_bytes(value.get_secret_value().encode())
        return value

    @field_validator("signing_secret_file")
    @classmethod
    def _signing_secret_file(cls, value: Path | None) -> Path | None:
        if value is None:
            return None
        path = value.expanduser().absolute()
        try:
            signing_bytes(path.read_bytes())
        except OSError as error:
            raise ValueError(f"{path} cannot be read: {error.strerror}") from error
        return path

    @field_validator("admin_client_id")
    @classmethod
    def _admin_client_id(cls, value: str | None) -> str | None:
        if value is not None and not CLIENT_ID.fullmatch(value):
            raise ValueError("must be ks- and 16 hexadecimal digits")
        return value

    @field_validator("metrics_token")
    @classmethod
    def _metrics_token(cls, value: SecretStr | None) -> SecretStr | None:
        token = "" if value is None else value.get_secret_value()
        if value is not None and not METRICS_TOKEN.fullmatch(token):
            raise ValueError("must be 16 to 256 letters, digits, and any of ._~+/=-")
        return value

    @field_validator("admin_client_secret")
    @classmethod
    def _admin_client_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < LEAST_CLIENT_SECRET:
            raise ValueError(f"must have {LEAST_CLIENT_SECRET} characters or more, by chance")
        return value

    @field_validator("proxies")
    @classmethod
    def _proxies(cls, value: str) -> str:
        try:
            for network in value.split(",") if value else []:
                ip_network(network.strip())
        except ValueError as error:
            raise ValueError("must be addresses or networks, e.g. 10.0.0.0/8,127.0.0.1") from error
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _oidc_issuer(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "https://host")
        safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
        if not safe or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must be https://…, as the provider's metadata writes it")
        return value

    @field_validator("oidc_allowed_domains")
    @classmethod
    def _oidc_allowed_domains(cls, value: str) -> str:
        names = [name.strip().lower() for name in value.split(",")] if value else []
        if not all(HOST_NAME.fullmatch(name) for name in names):
            raise ValueError("must be domains such as example.com, with commas between")
        return ",".join(names)

    @field_validator("kubeconfig")
    @classmethod
    def _kubeconfig(cls, value: Path | None) -> Path | None:
        path = value and value.expanduser().absolute()
        if path is not None and not os.access(path, os.R_OK):
            raise ValueError(f"{path} cannot be read")
        return path

    @field_validator("namespace")
    @classmethod
    def _namespace(cls, value: str) -> str:
        if not value and POD_NAMESPACE.exists():
            value = POD_NAMESPACE.read_text().strip()
        value = value or "kubeserve"
        if not re.fullmatch(LABEL, value):
            raise ValueError("must be the name of a namespace")
        return value

    @field_validator("instance")
    @classmethod
    def _instance(cls, value: str, info: ValidationInfo) -> str:
        value = value or str(info.data.get("namespace", ""))
        if value and not re.fullmatch(LABEL, value):
            raise ValueError("must be small letters, digits and hyphens, 63 at most")
        return value

    @field_validator("namespace_prefix")
    @classmethod
    def _namespace_prefix(cls, value: str) -> str:
        # With a tenant's 40 characters the name stays within Kubernetes' 63.
        if value and not re.fullmatch(r"[a-z]([a-z0-9-]{0,21})", value):
            raise ValueError("must be small letters, digits and hyphens, 22 at most, e.g. ks-")
        return value

    @field_validator("caller_namespaces")
    @classmethod
    def _caller_namespaces(cls, value: str) -> str:
        names = [name.strip() for name in value.split(",")]
        if not all(re.fullmatch(LABEL, name) for name in names):
            raise ValueError("must be names of namespaces, with commas between")
        return ",".join(names)

    @field_validator("loadtest_reach")
    @classmethod
    def _loadtest_reach(cls, value: str) -> str:
        places = [place.strip() for place in value.split(",")] if value else []
        for place in places:
            if not re.fullmatch(LABEL, place):
                try:
                    ip_network(place)
                except ValueError as error:
                    raise ValueError(
                        f"{place!r} is no name of a namespace and no CIDR block"
                    ) from error
        return ",".join(places)

    @field_validator("webhook_networks")
    @classmethod
    def _webhook_networks(cls, value: str) -> str:
        try:
            for network in value.split(",") if value else []:
                ip_network(network.strip())
        except ValueError as error:
            raise ValueError("must be networks, e.g. 10.1.0.0/16,127.0.0.0/8") from error
        return value

    @field_validator("loadtest_ingress", "autoscaler_metrics")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "http://host")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be an address such as http://HOST[:PORT]")
        return value

    @field_validator("fetch_keys")
    @classmethod
    def _fetch_keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not all(value.get_secret_value().partition(":")):
            raise ValueError("must be KEY:SECRET")
        return value

    @field_validator("fetch_url", "ingress_url")
    @classmethod
    def _plain_url(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "http://host")
        plain = not (parts.path.strip("/") or parts.query or parts.username)
        if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
            raise ValueError("must be http[s]://HOST[:PORT], without key, bucket or path")
        return value and value.rstrip("/")

    @field_validator("gateway_listen")
    @classmethod
    def _gateway_listen(cls, value: str) -> str:
        address, _, port = value.rpartition(":")
        try:
            ip_address(address.removeprefix("[").removesuffix("]"))
        except ValueError:
            port = ""
        if not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError("must be IP:PORT, e.g. 127.0.0.1:8081, or 0.0.0.0:443 for everybody")
        return value

    @field_validator("gateway_host")
    @classmethod
    def _gateway_host(cls, value: str | None) -> str | None:
        if value is not None and not HOST_NAME.fullmatch(value.lower()):
            raise ValueError("must be a host name such as kube.example.com, without port")
        return value and value.lower()

    @field_validator("gateway_certificate")
    @classmethod
    def _gateway_certificate(cls, value: Path | None) -> Path | None:
        return value and value.expanduser().absolute()

    @field_validator("gateway_key")
    @classmethod
    def _gateway_key(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        certificate = info.data.get("gateway_certificate")
        if (value is None) != (certificate is None):
            raise ValueError("must be given together with KUBESERVE_GATEWAY_CERTIFICATE, or not")
        if value is not None and certificate is not None:
            check_certificate(certificate, value.expanduser().absolute())
        return value and value.expanduser().absolute()

    @model_validator(mode="after")
    def _together(self) -> Self:
        """Look at what only fits or misses together; a fault a line, each with its name."""
        faults = []
        if self.signing_secret and self.signing_secret_file:
            faults.append("KUBESERVE_SIGNING_SECRET_FILE: must not be given with _SIGNING_SECRET")
        if (self.admin_client_id is None) != (self.admin_client_secret is None):
            faults.append("KUBESERVE_ADMIN_CLIENT_ID: must be given with _ADMIN_CLIENT_SECRET")
        given = {self.oidc_issuer is None, not self.oidc_client_id, self.oidc_client_secret is None}
        if len(given) > 1:
            faults.append("KUBESERVE_OIDC_ISSUER: must be given with _CLIENT_ID and _CLIENT_SECRET")
        if self.usage_hourly_days > self.usage_days:
            faults.append("KUBESERVE_USAGE_HOURLY_DAYS: must not be more than KUBESERVE_USAGE_DAYS")
        if (self.price_cpu_hour is None) != (self.price_gib_hour is None):
            faults.append("KUBESERVE_PRICE_GIB_HOUR: must be given with _PRICE_CPU_HOUR, or not")
        if self.engine is EngineKind.KNATIVE:
            faults += self._knative_faults()
        address = urlsplit(self.public_url)
        if address.scheme != "https" and not is_loopback(address.hostname):
            faults.append(
                "KUBESERVE_ISSUER: must be https://… where others than this machine call: tokens "
                "and secrets are in the requests. TLS may end before this process."
            )
        if faults:
            raise ValueError("\n".join(faults))
        return self

    def _knative_faults(self) -> list[str]:
        faults = []
        if self.gateway:
            faults.append(
                "KUBESERVE_GATEWAY: is of the embedded engine; Knative's ingress leads to endpoints"
            )
        if self.issuer is None:
            faults.append(
                "KUBESERVE_ISSUER: must be set with KUBESERVE_ENGINE=knative: the address of this "
                "API as its callers see it; every token names it"
            )
        images = {
            "RUNTIME_IMAGE": self.runtime_image,
            "BUILDER_IMAGE": self.builder_image,
            "LOADTEST_IMAGE": self.loadtest_image,
        }
        for name, image in images.items():
            if name == "LOADTEST_IMAGE" and image is None:
                continue
            if not image:
                faults.append(f"KUBESERVE_{name}: must be set with KUBESERVE_ENGINE=knative")
            elif not self.images_by_tag and not BY_DIGEST.fullmatch(image):
                faults.append(
                    f"KUBESERVE_{name}: must name the image by digest (NAME@sha256:…), or "
                    "KUBESERVE_IMAGES_BY_TAG=true must allow tags, which can change under you"
                )
        return faults

    @property
    def signing_bytes(self) -> bytes | None:
        """The secret that seals signing keys, if one was given."""
        if self.signing_secret is not None:
            return signing_bytes(self.signing_secret.get_secret_value().encode())
        if self.signing_secret_file is not None:
            return signing_bytes(self.signing_secret_file.read_bytes())
        return None

    @property
    def environments_kept(self) -> int | None:
        """How many environments are kept; None: there are none, their models are refused."""
        return None if self.environments == "off" else int(self.environments)

    @property
    def origins(self) -> tuple[str, ...]:
        """Web pages that may call the API from browsers."""
        return tuple(filter(None, self.cors_origins.split(",")))

    @property
    def callers(self) -> tuple[str, ...]:
        """Namespaces that may reach the pods of endpoints."""
        return tuple(self.caller_namespaces.split(","))

    @property
    def reach(self) -> tuple[str, ...]:
        """Namespaces and CIDR blocks that pods of load tests may reach: where the ingress is."""
        return tuple(self.loadtest_reach.split(",")) if self.loadtest_reach else self.callers

    @property
    def fetch_address(self) -> str | None:
        """Address of the object store for tenants' pods; None without an object store."""
        if self.fetch_url is not None or self.store is None:
            return self.fetch_url
        parts = urlsplit(self.store.get_secret_value())
        port = f":{parts.port}" if parts.port else ""
        scheme = "http" if parts.query == "insecure" else "https"
        return f"{scheme}://{parts.hostname}{port}"

    @property
    def fetch_namespace(self) -> str | None:
        """Namespace of a store that is a Service of the same cluster."""
        host = urlsplit(self.fetch_address or "").hostname or ""
        inside = re.fullmatch(rf"{LABEL}\.(?P<namespace>{LABEL})\.svc(\..*)?", host)
        return inside["namespace"] if inside else None

    @property
    def bucket(self) -> str | None:
        """The store's bucket; None without an object store."""
        if self.store is None:
            return None
        return urlsplit(self.store.get_secret_value()).path.strip("/")

    @property
    def gateway_address(self) -> tuple[str, int]:
        """IP and port the gateway listens on."""
        address, _, port = self.gateway_listen.rpartition(":")
        return address.removeprefix("[").removesuffix("]"), int(port)

    @property
    def gateway_domain(self) -> str:
        """What names of endpoints end in; everything below localhost is this machine."""
        return self.gateway_host or "localhost"

    @property
    def gateway_url(self) -> str:
        """Address of the gateway for callers."""
        address, port = self.gateway_address
        name = self.gateway_host or reached_at(f"[{address}]" if ":" in address else address)
        scheme, usual = ("http", 80) if self.gateway_certificate is None else ("https", 443)
        return f"{scheme}://{name}" + ("" if port == usual else f":{port}")

    @property
    def host(self) -> str:
        """Host the API listens on."""
        return self.listen.rpartition(":")[0]

    @property
    def port(self) -> int:
        """Port the API listens on."""
        return int(self.listen.rpartition(":")[2])

    @property
    def local_url(self) -> str:
        """Address of the API on this machine itself, whoever can reach its public one."""
        return f"http://{reached_at(self.host)}:{self.port}"

    @property
    def public_url(self) -> str:
        """Address callers use; also the issuer of every token."""
        return (self.issuer or f"http://{self.listen}").rstrip("/")


def signing_bytes(content: bytes) -> bytes:
    """Read the secret: 32 bytes as they are, or their base64; raises ValueError."""
    if len(content) == SIGNING_SECRET_BYTES:
        return content
    try:
        secret = base64.b64decode(content.strip(), validate=True)
    except binascii.Error:
        secret = b""
    if len(secret) != SIGNING_SECRET_BYTES:
        raise ValueError("must be the base64 of 32 random bytes: `openssl rand -base64 32`")
    return secret


def reached_at(host: str) -> str:
    """Give the host at which what listens on one is reached from this machine."""
    return {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104


def is_loopback(host: str | None) -> bool:
    """Tell whether a host is this machine itself."""
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


def check_certificate(chain: Path, key: Path) -> None:
    """Raise ValueError unless both can be read and belong together."""

    def password() -> str:
        raise ValueError("the key is encrypted, and there is nobody to ask for its password")

    for path in (chain, key):
        if not os.access(path, os.R_OK):
            raise ValueError(f"{path} cannot be read; it must be a PEM file")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key, password)
    except ssl.SSLError as error:
        raise ValueError(
            f"{chain} and {key} are no PEM certificate with its key ({error.reason or error})"
        ) from error


def read_settings() -> Settings:
    """Read all settings; ends the program naming every bad one."""
    faults = unknown(os.environ)
    try:
        settings = Settings()
    except ValidationError as error:
        for fault in error.errors():
            if not fault["loc"]:  # of several settings together; each line has its name
                faults.append(fault["msg"].removeprefix("Value error, "))
                continue
            name = PREFIX + "_".join(str(part) for part in fault["loc"]).upper()
            # Never the value: it may be a secret.
            faults.append(f"{name}: {fault['msg'].removeprefix('Value error, ')}")
    else:
        if not faults:
            return settings
    sys.stderr.write("".join(f"{fault}\n" for fault in faults))
    raise SystemExit(64)


def unknown(environment: Mapping[str, str]) -> list[str]:
    """Tell of variables that look like settings and are none."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    faults = []
    for name in sorted(environment):
        ours = name.startswith(PREFIX) and not SERVICE_LINK.fullmatch(name)
        if ours and name not in known | NOT_OURS:
            close = difflib.get_close_matches(name, known, n=1)
            faults.append(f"{name}: there is no such setting" + (f"; {close[0]}?" if close else ""))
    return faults
