"""What every answer tells browsers: believe its type, frame, run and keep nothing of it."""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Answers of the API are for programs; a browser that shows one has nothing to load or run.
API_POLICY: Final = (
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
# Pages bring all they need from here, and no script within.
PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
ALWAYS: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
TWO_YEARS: Final = "max-age=63072000"


class SecurityHeaders:
    """Adds what an answer does not say itself.

    https  whether callers come by https, and are to stay with it
    """

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._more = {**ALWAYS, **({"strict-transport-security": TWO_YEARS} if https else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                for name, value in self._more.items():
                    headers.setdefault(name, value)
                is_page = headers.get("content-type", "").startswith("text/html")
                headers.setdefault(
                    "content-security-policy", PAGE_POLICY if is_page else API_POLICY
                )
                # What depends on who asks, or holds a secret, stays with who asked.
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, with_headers)
