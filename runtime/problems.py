"""Problem details (RFC 9457): the one shape every error of KubeServe has.

Raised where the cause is known, turned into a response once, at the edge. Standard library only.
"""

from typing import Any, ClassVar

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


class Problem(Exception):
    """An error a caller can act on. `detail` says what happened and what to do next."""

    type: ClassVar[str] = "/problems/internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong on our side"

    def __init__(self, detail: str, *, retry_after_s: float | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.members: dict[str, Any] = members

    def body(self) -> dict[str, Any]:
        """Give the members of the JSON document."""
        return {
            "type": self.type,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }

    def headers(self) -> dict[str, str]:
        """Give the response headers that belong to this problem."""
        if self.retry_after_s is None:
            return {}
        return {"retry-after": str(max(1, round(self.retry_after_s)))}


class Malformed(Problem):
    type, status, title = "/problems/malformed", 400, "The request could not be read"


class InvalidInput(Problem):
    """Every fault is listed in `errors`: `{"row": 3, "column": "age", "detail": "..."}`."""

    type, status, title = "/problems/invalid-input", 422, "The input does not fit"


class Unauthenticated(Problem):
    """`challenge`: the header WWW-Authenticate, by who knows where tokens are given."""

    challenge = "Bearer"

    type, status, title = "/problems/unauthenticated", 401, "A valid access token is needed"


class Forbidden(Problem):
    type, status, title = "/problems/forbidden", 403, "This token may not do that"


class NotFound(Problem):
    type, status, title = "/problems/not-found", 404, "There is no such thing here"


class MethodNotAllowed(Problem):
    type, status, title = "/problems/method-not-allowed", 405, "This address takes other methods"


class TooSlow(Problem):
    type, status, title = "/problems/too-slow", 408, "The request did not arrive in time"


class Conflict(Problem):
    type, status, title = "/problems/conflict", 409, "The present state does not allow this"


class PreconditionFailed(Problem):
    type, status, title = "/problems/precondition-failed", 412, "It has changed since you read it"


class TooLarge(Problem):
    type, status, title = "/problems/too-large", 413, "The request is too large"


class TargetTooLong(Problem):
    type, status, title = "/problems/target-too-long", 414, "The request's address is too long"


class HeadTooLarge(Problem):
    type, status, title = "/problems/head-too-large", 431, "The request's headers are too large"


class UnsupportedMediaType(Problem):
    type, status, title = "/problems/unsupported-media-type", 415, "This content type is not read"


class ExpectationFailed(Problem):
    type, status, title = "/problems/expectation-failed", 417, "What is expected is not done here"


class QuotaExceeded(Problem):
    type, status, title = "/problems/quota-exceeded", 403, "The quota is used up"


class RateLimited(Problem):
    type, status, title = "/problems/rate-limited", 429, "Too many requests"


class Internal(Problem):
    """The text of an exception never leaves the process: only a request id does."""

    type, status, title = "/problems/internal", 500, "Something went wrong on our side"


class NotImplementedHere(Problem):
    type, status, title = "/problems/not-implemented", 501, "This is not known here"


class Overloaded(Problem):
    type, status, title = "/problems/overloaded", 503, "All capacity is in use"


class Starting(Problem):
    type, status, title = "/problems/starting", 503, "Not ready yet"


class EngineUnavailable(Problem):
    type, status, title = "/problems/engine-unavailable", 503, "The engine cannot be reached"


class DeadlinePassed(Problem):
    type, status, title = "/problems/deadline-passed", 504, "The deadline passed"


class VersionNotSupported(Problem):
    type, status, title = "/problems/version-not-supported", 505, "This HTTP version is not spoken"
