"""Where this machine's KubeServe keeps its things, and whom the SDK signs in as."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from controlplane.client.errors import NotConfigured
from controlplane.client.login import LoginFile
from runtime import api_keys

HINT = (
    "Start KubeServe on this machine with `kubeserve up`, sign in with `kubeserve login URL`, or "
    "give url, client_id and client_secret, or set KUBESERVE_URL, KUBESERVE_CLIENT_ID and "
    "KUBESERVE_CLIENT_SECRET; an API key does in place of both, as api_key or KUBESERVE_API_KEY."
)


@dataclass(frozen=True, slots=True)
class Account:
    """The API's address and the client that signs in there.

    login    file of `kubeserve login`, for who signs in as a person instead
    ingress  where endpoints are reached if their names do not resolve here, as on a trial cluster:
             requests go to this address and name the endpoint as their Host
    """

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    ingress: str | None = None
    login: Path | None = None


def login_file() -> Path:
    """Give the file that `kubeserve login` keeps a person's sign-in in."""
    return home_folder() / "login.json"


def home_folder(home: str | Path | None = None) -> Path:
    """Give the home folder: the argument, KUBESERVE_HOME, or the user's data folder."""
    if home is not None:
        return Path(home).absolute()
    if chosen := os.environ.get("KUBESERVE_HOME"):
        return Path(chosen).absolute()
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "kubeserve"


def find_account(
    url: str | None = None,
    client_id: str | None = None,
    client_secret: str | None = None,
    ingress: str | None = None,
    api_key: str | None = None,
) -> Account:
    """Complete what was given from the environment, a sign-in, then `home/credentials.json`.

    The file's secret is used for the file's address alone: another address never gets to see it.
    Raises NotConfigured.
    """
    env = os.environ
    url = url or env.get("KUBESERVE_URL")
    named = client_id and client_secret
    api_key = api_key or (None if named else env.get("KUBESERVE_API_KEY"))
    if api_key is not None:
        client_id, client_secret = public_id(api_key), api_key
    client_id = client_id or env.get("KUBESERVE_CLIENT_ID")
    client_secret = client_secret or env.get("KUBESERVE_CLIENT_SECRET")
    ingress = ingress or env.get("KUBESERVE_INGRESS")
    ingress = check_url(ingress) if ingress else None
    if url and client_id and client_secret:
        return Account(check_url(url), client_id, client_secret, ingress)
    if not client_id and not client_secret:
        signed_in = _signed_in(url)
        if signed_in is not None:
            return Account(signed_in, "", "", ingress, login_file())
    file = home_folder() / "credentials.json"
    kept = _read(file)
    if kept is None:
        raise NotConfigured(f"There are no credentials in {file}. {HINT}")
    if url and check_url(url) != check_url(kept["url"]):
        raise NotConfigured(f"The credentials in {file} are for {kept['url']}, not {url}. {HINT}")
    if client_id and client_id != kept["client_id"] and not client_secret:
        raise NotConfigured(f"There is no secret for client {client_id!r}. {HINT}")
    return Account(
        check_url(kept["url"]),
        client_id or kept["client_id"],
        client_secret or kept["client_secret"],
        ingress,
    )


def _signed_in(url: str | None) -> str | None:
    """Give the address that a person is signed in at, if it is this one."""
    login = LoginFile(login_file()).read()
    if login is None or (url is not None and check_url(url) != login.url):
        return None
    return login.url


def known_url() -> str:
    """Give the address to sign in at when none is said; raises NotConfigured."""
    if chosen := os.environ.get("KUBESERVE_URL"):
        return chosen
    kept = _read(home_folder() / "credentials.json")
    if kept is None:
        raise NotConfigured("Say where to sign in: kubeserve login URL")
    return kept["url"]


def public_id(api_key: str) -> str:
    """Give the client that an API key is exchanged as; raises NotConfigured."""
    public = api_keys.public_id(api_key)
    if public is None:
        raise NotConfigured(
            "The API key is mistyped: it is ks_api_, 16 characters, _ and 49 more, as `kubeserve"
            " keys create` showed it."
        )
    if api_keys.kind_of(public) is api_keys.Kind.ENDPOINT:
        raise NotConfigured(
            f"{public} is a key for one endpoint: send it there as `Authorization: Bearer KEY`."
            " The SDK and the command line need an API key without an endpoint."
        )
    return public


def check_url(url: str) -> str:
    """Give the address without a slash at its end; raises NotConfigured when it is not one."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise NotConfigured(f"{url!r} is not an address: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise NotConfigured(f"{url!r} is not an address such as http://127.0.0.1:8080")
    return url.rstrip("/")


def _read(file: Path) -> Mapping[str, str] | None:
    try:
        document = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise NotConfigured(f"{file} cannot be read: {error}. {HINT}") from error
    wanted = ("url", "client_id", "client_secret")
    if not isinstance(document, dict) or not all(isinstance(document.get(k), str) for k in wanted):
        raise NotConfigured(f"{file} must hold url, client_id and client_secret. {HINT}")
    return document
