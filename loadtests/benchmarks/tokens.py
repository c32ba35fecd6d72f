"""The token endpoint: client credentials with a secret, API and Postgres together on one core."""

import json
from typing import Final
from urllib.parse import urlencode, urlsplit

from loadtests.benchmarks.installation import installation
from loadtests.benchmarks.load import Request, drive, generator
from loadtests.benchmarks.measuring import (
    SERVER_CORE,
    Options,
    Raw,
    Row,
    at_least,
    family_cpu_s,
    pinned,
    quantile,
)

CONNECTIONS: Final = 8
WARM_UP_S: Final = 10.0  # the builder imports scikit-learn meanwhile
AIM: Final = 300.0
FORM: Final = {"content-type": "application/x-www-form-urlencoded"}


def limit_s(options: Options) -> float:
    """Give the seconds after which something hangs."""
    return 60 + 4 * options.rounds * options.seconds


def measure(options: Options) -> Raw:
    """Ask for tokens as fast as they are given; each is signed, and its client looked up."""
    by = generator()
    with pinned(SERVER_CORE), installation(oauth_client_rate="100000") as (client, home):
        kept = json.loads((home / "credentials.json").read_text())
        form = {
            "grant_type": "client_credentials",
            "client_id": kept["client_id"],
            "client_secret": kept["client_secret"],
        }
        port = urlsplit(client.url).port or 0
        request = Request(port, "/oauth2/token", urlencode(form).encode(), FORM)
        drive(request, CONNECTIONS, WARM_UP_S, by=by)
        keeper = int((home / "keeper.pid").read_text().split()[0])
        rounds, spent_us = [], []
        for _ in range(options.rounds):
            before = family_cpu_s(keeper)
            rounds.append(drive(request, CONNECTIONS, options.seconds, by=by))
            spent_us.append((family_cpu_s(keeper) - before) / rounds[-1].requests * 1e6)
    return {
        "connections": CONNECTIONS,
        "rps": [one.rps for one in rounds],
        "p50_us": [one.p50_us for one in rounds],
        "p99_us": [one.p99_us for one in rounds],
        "cpu_us": spent_us,
    }


def rows(raw: Raw) -> list[Row]:
    """Give the line of README's table."""
    slow = quantile(raw["p99_us"], 0.5) / 1000
    spent = quantile(raw["cpu_us"], 0.5) / 1000
    note = (
        f"{raw['connections']} connections, API and Postgres on one core, {spent:.1f} ms of it a"
        f" token; p99 {slow:.0f} ms"
    )
    return [
        at_least("tokens a second, client credentials", quantile(raw["rps"], 0.5), AIM, "/s", note)
    ]
