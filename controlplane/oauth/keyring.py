"""The signing keys in memory: loaded from their rows, moved on by the leader."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from joserfc.jwk import ECKey, KeySet

from controlplane.oauth import keys as key_files
from controlplane.oauth import repository
from controlplane.oauth.rotation import KeyRow, KeyState, Move, Schedule, moves
from controlplane.oauth.tables import SigningKey

# A replica that does not lead signs with the old key for so long; it is published for far longer.
FRESH: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Loaded:
    """One state of the keys."""

    kid: str
    key: ECKey
    public: dict[str, Any]
    verifying: KeySet
    at: datetime


class Keyring:
    """The keys of one installation."""

    def __init__(self, secret: bytes, schedule: Schedule, clock: Callable[[], datetime]) -> None:
        self._secret, self.schedule, self._clock = secret, schedule, clock
        self._loaded: Loaded | None = None

    async def ensure(self) -> None:
        """Load the keys; the first start makes the first two. Called under the start-up lock."""
        states = {row.state for row in await repository.keys()}
        for state in (KeyState.ACTIVE, KeyState.NEXT):
            if state not in states:
                await self._make(state)
        await self.load()

    @property
    def loaded(self) -> Loaded:
        """Give the keys as they were read last; the application reads them when it starts."""
        if self._loaded is None:
            raise RuntimeError("the signing key is loaded when the application starts")
        return self._loaded

    async def current(self) -> Loaded:
        """Give the keys, read again when they are a few seconds old."""
        if self._loaded is None or not self._is_fresh(self._loaded):
            return await self.load()
        return self._loaded

    def _is_fresh(self, loaded: Loaded) -> bool:
        return abs(self._clock() - loaded.at) < FRESH

    async def load(self) -> Loaded:
        """Read the keys now."""
        rows = await repository.keys()
        active = next(row for row in rows if row.state == KeyState.ACTIVE)
        known = self._loaded
        same = known is not None and known.kid == active.kid
        key = known.key if known is not None and same else ECKey.import_key(self._open(active))
        public = {"keys": [row.public for row in rows]}
        verifying = KeySet.import_key_set(public)  # type: ignore[arg-type]  # its own JSON type
        self._loaded = Loaded(active.kid, key, public, verifying, self._clock())
        return self._loaded

    def _open(self, row: SigningKey) -> bytes:
        try:
            return key_files.unseal(self._secret, row.kid, bytes(row.private))
        except InvalidTag as error:
            raise RuntimeError(
                "the signing keys in the database were sealed with another secret than "
                "KUBESERVE_SIGNING_SECRET, KUBESERVE_SIGNING_SECRET_FILE or the home folder "
                "give: give the one they were made with"
            ) from error

    async def rotate(self, published: Collection[str]) -> bool:
        """Do what is due; True when the keys changed. Call within a transaction.

        published  kids that the runtimes have
        """
        rows = [_row(row) for row in await repository.lock_keys()]
        due = moves(rows, self.schedule, self._clock(), published)
        for move, kid in due:
            match move:
                case Move.MAKE_NEXT:
                    await self._make(KeyState.NEXT)
                case Move.ACTIVATE:
                    await self._activate(kid)
                case Move.DELETE:
                    await repository.delete_key(kid)
        return bool(due)

    async def begin(self) -> tuple[str, int]:
        """Have the active key be old enough to change; call within a transaction.

        Gives the kid of the next key, and in how many seconds it may sign.
        """
        kid, since = await self._next()
        await repository.move_keys(
            KeyState.ACTIVE, KeyState.ACTIVE, self._clock() - self.schedule.every
        )
        left = since + self.schedule.lead - self._clock()
        return kid, max(0, int(left.total_seconds()))

    async def replace(self) -> str:
        """Sign with the next key and forget the others at once; call within a transaction.

        The runtimes know the next one already: they refuse no token that it signs.
        """
        kid, _ = await self._next()
        for row in await repository.lock_keys():
            if row.kid != kid:
                await repository.delete_key(row.kid)
        await repository.move_key(kid, KeyState.ACTIVE, self._clock())
        await self._make(KeyState.NEXT)
        return kid

    async def _next(self) -> tuple[str, datetime]:
        rows = [_row(row) for row in await repository.lock_keys()]
        waiting = next((row for row in rows if row.state is KeyState.NEXT), None)
        if waiting is not None:
            return waiting.kid, waiting.changed_at
        return await self._make(KeyState.NEXT), self._clock()

    async def _activate(self, kid: str) -> None:
        await repository.move_keys(KeyState.ACTIVE, KeyState.RETIRING, self._clock())
        await repository.move_key(kid, KeyState.ACTIVE, self._clock())

    async def _make(self, state: KeyState) -> str:
        pair = key_files.new_key()
        sealed = key_files.seal(self._secret, pair.kid, pair.private)
        await repository.add_key(pair.kid, sealed, pair.public, state, self._clock())
        return pair.kid


def _row(row: SigningKey) -> KeyRow:
    return KeyRow(row.kid, KeyState(row.state), row.changed_at or row.created_at)
