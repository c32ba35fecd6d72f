"""Keys files of workers: one a tenant, so that no tenant's worker is told of another's API keys."""

import json
from collections.abc import Mapping
from pathlib import Path

from controlplane.files import write_durably

NOTHING = b'{"keys": [], "revoked": {"jtis": {}, "clients": {}}}'


class KeysFiles:
    """`keys.json` is what everybody gets, `keys/TENANT.json` what the workers of a tenant read."""

    def __init__(self, folder: Path) -> None:
        self._common, self._folder = folder / "keys.json", folder / "keys"

    def open(self) -> None:
        """Make what is not there; what a supervisor before us wrote stays."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if not self._common.exists():
            write_durably(self._common, NOTHING)

    def of(self, tenant: str) -> Path:
        """Give a tenant's file; it is there."""
        path = self._folder / f"{tenant}.json"
        if not path.exists():
            write_durably(path, self._common.read_bytes())
        return path

    def publish(self, document: str, tenants: Mapping[str, str]) -> bool:
        """Replace what changed; tells whether anything did. Raises ValueError for what is no JSON.

        tenants  what is for one tenant in place of `document`
        """
        for text in (document, *tenants.values()):
            json.loads(text)
        known = {path.stem for path in self._folder.glob("*.json")}
        wanted = {self._folder / f"{name}.json": tenants.get(name, document) for name in known}
        wanted |= {self._folder / f"{name}.json": text for name, text in tenants.items()}
        replaced = [
            _replace(path, text) for path, text in {self._common: document, **wanted}.items()
        ]
        return any(replaced)


def _replace(path: Path, text: str) -> bool:
    content = text.encode()
    if path.exists() and path.read_bytes() == content:
        return False
    write_durably(path, content)
    return True
