"""Where an authorization may be sent back to: what can be registered, and what matches it.

A redirect URI matches as text, character by character (RFC 9700, 4.1.3). The one exception is the
port of a loopback address, which a program on a person's machine cannot know beforehand (RFC 8252).
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from controlplane.settings import is_loopback
from runtime.problems import InvalidInput

MOST: Final = 10
LONGEST: Final = 2000
ALLOWED: Final = re.compile(r"[!-~]+")  # no white space, no control characters, ASCII
# Backslashes and user names are read differently by different parsers, so nobody has them.
FORBIDDEN: Final = re.compile(r"[\\#*@<>\"'`{}|^]")
LOOPBACK: Final = re.compile(r"http://(127\.0\.0\.1|\[::1\])(?::([0-9]{1,5}))?(/.*)?")
LOCALHOST: Final = re.compile(r"http://localhost(:[0-9]{1,5})?(/.*)?")  # with its port as it is
# RFC 8252, 7.1: a scheme of one's own is a domain name backwards, so that two programs differ.
OWN_SCHEME: Final = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9-]+)+")


def check(uris: Iterable[str], *, public: bool) -> list[str]:
    """Give the redirect URIs of an application; raises InvalidInput with the one at fault.

    public  the application keeps no secret, so it may be a program with a scheme of its own
    """
    wanted = list(dict.fromkeys(uris))
    if not 0 < len(wanted) <= MOST:
        raise InvalidInput(f"An application has 1 to {MOST} redirect URIs.", field="redirect_uris")
    for uri in wanted:
        fault = _fault(uri, public=public)
        if fault:
            raise InvalidInput(
                f"{uri[:200]!r} cannot be a redirect URI: {fault}", field="redirect_uris"
            )
    return wanted


def _fault(uri: str, *, public: bool) -> str | None:
    if len(uri) > LONGEST or not ALLOWED.fullmatch(uri):
        return f"it must be 1 to {LONGEST} visible ASCII characters."
    if FORBIDDEN.search(uri):
        return "fragments, wildcards, user names, quotes and backslashes are not allowed."
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError as error:
        return f"it is no address ({error})."
    if parts.scheme == "https":
        return None if parts.hostname and port != 0 else "it names no host."
    if parts.scheme == "http":
        local = LOOPBACK.fullmatch(uri) or LOCALHOST.fullmatch(uri)
        return None if local else "http is for 127.0.0.1, [::1] and localhost only."
    if OWN_SCHEME.fullmatch(parts.scheme):
        return None if public else "a scheme of its own is for public clients only."
    return "its scheme must be https, or a domain name backwards such as com.example.app."


def matches(asked: str, registered: Iterable[str]) -> bool:
    """Tell whether a redirect URI is one of those registered."""
    return any(asked == uri or _same_but_port(asked, uri) for uri in registered)


def _same_but_port(asked: str, registered: str) -> bool:
    ours, theirs = LOOPBACK.fullmatch(registered), LOOPBACK.fullmatch(asked)
    if ours is None or theirs is None or int(theirs[2] or 80) not in range(1, 65536):
        return False
    return (ours[1], ours[3] or "/") == (theirs[1], theirs[3] or "/") and _is_clean(asked)


def _is_clean(uri: str) -> bool:
    return ALLOWED.fullmatch(uri) is not None and not FORBIDDEN.search(uri)


def is_claimed(uri: str) -> bool:
    """Tell whether only who owns a host gets what is sent there (RFC 8252, 7.2 and 8.6).

    Any program of a machine can listen on its loopback addresses and take any scheme of its own.
    """
    parts = urlsplit(uri)
    host = parts.hostname or ""
    here = host.endswith(".localhost") or is_loopback(host)
    return parts.scheme == "https" and not here


def source(uri: str) -> str:
    """Give what a page's Content-Security-Policy calls the place: its forms may lead there."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"
