"""Tokens of anybody for anything, signed with the running application's own key."""

import uuid
from datetime import UTC, datetime
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from controlplane.callers import CLI
from tests.integration.api import Api


def token_for(api: Api, subject: str, tenant: str = "default", **changes: Any) -> str:
    """Sign an access token of the API; `changes` are of its claims, `typ` and `key` of how."""
    oauth: Any = api.app.state.oauth
    signer = oauth.keyring.loaded
    now = int(datetime.now(UTC).timestamp())
    typ, key = changes.pop("typ", "at+jwt"), changes.pop("key", signer.key)
    claims = {
        "iss": oauth.issuer,
        "sub": subject,
        "client_id": CLI if subject.startswith("user:") else subject.partition(":")[2],
        "aud": oauth.issuer,
        "iat": now,
        "exp": now + 900,
        "jti": uuid.uuid4().hex,
        "scope": "models:read models:write endpoints:read endpoints:write payloads:read admin",
        "tenant": tenant,
        **changes,
    }
    header = {"alg": "ES256", "typ": typ, "kid": signer.kid}
    return str(jwt.encode(header, claims, key, algorithms=["ES256"]))


def another_key() -> ECKey:
    """Make a key that nobody here knows."""
    return ECKey.generate_key("P-256")
