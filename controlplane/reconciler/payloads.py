"""Logged requests: made into files by whoever leads, again and again."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from controlplane.payloads import drifting, taking
from controlplane.payloads.taking import Site

log = logging.getLogger("kubeserve.payloads")
LOOK_S: Final = 5.0
TIDY_EVERY: Final = 12  # looks


async def run(site: Site, may_act: Callable[[], bool]) -> None:
    """Look at times until cancelled; what fails is tried again with the next look."""
    look, takes = 0, taking.Taking(site)
    try:
        while True:
            await asyncio.sleep(min(LOOK_S, site.every_s / 2))
            if not may_act():
                continue
            try:
                await takes.look(datetime.now(UTC))
                if look % TIDY_EVERY == 0:
                    await taking.follow_all(site, datetime.now(UTC))
                    await taking.tidy(site, datetime.now(UTC))
                look += 1
            except Exception:
                log.exception("logged requests could not be looked at")
    finally:
        drifting.forget_gauges()
