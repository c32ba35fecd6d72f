"""Every setting of the control plane, read once from KUBESERVE_ variables and handed down."""

import os
import sys
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MIB = 1 << 20


def default_home() -> Path:
    """Give the folder that keeps everything on one machine."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "kubeserve"


class Settings(BaseSettings):
    """One frozen object; a setting that cannot be honoured ends the start with its name."""

    model_config = SettingsConfigDict(env_prefix="KUBESERVE_", frozen=True, extra="ignore")

    home: Path = Field(default_factory=default_home, description="Folder for everything kept.")
    listen: str = Field("127.0.0.1:8080", description="HOST:PORT of the API.")
    issuer: str | None = Field(None, description="Public address of the API, if not http://LISTEN.")
    database_url: SecretStr | None = Field(None, description="postgres://… instead of our own.")
    store: str | None = Field(None, description="s3://KEY:SECRET@HOST/BUCKET instead of a folder.")
    ports: str = Field("18100-18999", description="Ports of the embedded engine's endpoints.")
    endpoint_host: str = Field("127.0.0.1", description="Address that endpoints listen on.")
    max_upload_bytes: int = Field(500 * MIB, gt=0, description="Size of a model file at most.")
    build_memory_bytes: int = Field(2048 * MIB, gt=0, description="Memory of one build at most.")
    build_wall_s: float = Field(120.0, gt=0, description="Seconds of one build at most.")
    builds_at_once: int = Field(1, ge=1, le=16, description="Builds running side by side.")
    sandbox: str = Field("required", description="required, or degraded to build without it.")
    api_token_s: int = Field(900, ge=60, description="Life of a token for the API.")
    predict_token_s: int = Field(300, ge=60, description="Life of a token for one endpoint.")

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
    try:
        return Settings()
    except ValidationError as error:
        for fault in error.errors():
            name = "KUBESERVE_" + "_".join(str(part) for part in fault["loc"]).upper()
            sys.stderr.write(f"{name}: {fault['msg']}\n")
        raise SystemExit(64) from error
