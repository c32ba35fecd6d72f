"""Everything the SDK raises. No error of httpx leaves it."""

from typing import Any


class ClientError(Exception):
    """What every error of the SDK is."""


class NotConfigured(ClientError):
    """There is no address or no client to sign in with; the message says how to give them."""


class Unreachable(ClientError):
    """Nothing answers at `url`."""

    def __init__(self, url: str, because: str) -> None:
        super().__init__(
            f"Nothing answers at {url} ({because}). Is KubeServe running? Start it: kubeserve up"
        )
        self.url, self.because = url, because


class TimedOut(ClientError):
    """The answer, or the state that was waited for, did not come in time."""


class BadAnswer(ClientError):
    """What answered does not speak this API: another program, or another version of KubeServe."""


class ApiError(ClientError):
    """A refusal, as the server told it (RFC 9457).

    type    path that names the kind of problem, such as /problems/not-found
    errors  every fault by place, such as {"row": 3, "column": "age", "detail": "…"}
    """

    def __init__(self, problem: dict[str, Any], retry_after_s: float | None = None) -> None:
        self.problem = problem
        self.type = str(problem.get("type", "about:blank"))
        status = problem.get("status")
        self.status = status if isinstance(status, int) else 0
        self.title = str(problem.get("title", ""))
        self.detail = str(problem.get("detail") or self.title or f"HTTP {self.status}")
        errors = problem.get("errors")
        self.errors: list[dict[str, Any]] = errors if isinstance(errors, list) else []
        self.retry_after_s = retry_after_s
        super().__init__(self.detail)

    @property
    def kind(self) -> str:
        """Last part of the type: not-found, invalid-input, …"""
        return self.type.rsplit("/", 1)[-1]

    @property
    def is_ours(self) -> bool:
        """True when KubeServe refused; otherwise something on the way to it did."""
        return self.type.startswith("/problems/")


class NotFound(ApiError):
    """The named thing does not exist, or belongs to another tenant."""


class SignInFailed(ApiError):
    """The client id, secret or token was refused."""


class BuildFailed(ClientError):
    """The uploaded model cannot be served; `version` has the whole story."""

    def __init__(self, version: Any) -> None:
        advice = f" {version.advice}" if version.advice else ""
        super().__init__(f"{version.model}:{version.number} failed: {version.reason}{advice}")
        self.version = version
        self.reason, self.advice = version.reason, version.advice


class DeployFailed(ClientError):
    """The endpoint did not become ready; `endpoint` is its last state."""

    def __init__(self, endpoint: Any, cause: str | None = None) -> None:
        said = cause or endpoint.ready.message or endpoint.ready.reason or "no reason was given"
        super().__init__(
            f"{endpoint.name} is not ready: {said} (more: kubeserve why {endpoint.name})"
        )
        self.endpoint, self.reason = endpoint, said
