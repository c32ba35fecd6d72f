"""Every setting of the control plane, read once from KUBESERVE_ variables and handed down."""

import difflib
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MIB: Final = 1 << 20
DAY_S: Final = 86_400
PREFIX: Final = "KUBESERVE_"
# Of the SDK and the command line, and what the keeper tells its children.
NOT_OURS: Final = {
    "KUBESERVE_URL",
    "KUBESERVE_CLIENT_ID",
    "KUBESERVE_CLIENT_SECRET",
    "KUBESERVE_INGRESS",
    "KUBESERVE_KEEPER_PID",
}
# Kubernetes sets these in every pod beside a Service of our name.
SERVICE_LINK: Final = re.compile(r"KUBESERVE_(\w+_)?(SERVICE_\w+|PORT(_\d+_\w+)?)")


def default_home() -> Path:
    """Give the folder that keeps everything on one machine."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "kubeserve"


class Settings(BaseSettings):
    """One frozen object; a setting that cannot be honoured ends the start with its name."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

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
    sandbox: str = Field("required", description="required, or degraded to build without it.")
    api_token_s: int = Field(900, ge=60, le=DAY_S, description="Life of a token for the API.")
    predict_token_s: int = Field(300, ge=60, le=DAY_S, description="… for one endpoint.")

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

    @field_validator("sandbox")
    @classmethod
    def _sandbox(cls, value: str) -> str:
        if value not in ("required", "degraded"):
            raise ValueError("must be required or degraded")
        return value

    @property
    def host(self) -> str:
        """Host the API listens on."""
        return self.listen.rpartition(":")[0]

    @property
    def port(self) -> int:
        """Port the API listens on."""
        return int(self.listen.rpartition(":")[2])

    @property
    def public_url(self) -> str:
        """Address callers use; also the issuer of every token."""
        return (self.issuer or f"http://{self.listen}").rstrip("/")


def read_settings() -> Settings:
    """Read all settings; ends the program naming every bad one."""
    faults = unknown(os.environ)
    try:
        settings = Settings()
    except ValidationError as error:
        for fault in error.errors():
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
