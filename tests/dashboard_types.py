"""What the dashboard's types are made of: the schemas of the API's reference, without their prose.

usage: python -m tests.dashboard_types FILE    writes them for openapi-typescript, as
`task dashboard:types` wants them
"""

import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from controlplane import dashboard
from controlplane.app import create_app
from controlplane.settings import Settings

TYPES: Final = Path(dashboard.__file__).parent / "src" / "api" / "schema.d.ts"
PROSE: Final = ("title", "description", "examples", "pattern", "minLength", "maxLength")


def schemas() -> dict[str, Any]:
    """Give a document of OpenAPI with nothing but schemas."""
    with tempfile.TemporaryDirectory() as home:
        document = create_app(Settings(home=Path(home))).openapi()
    return {
        "openapi": document["openapi"],
        "info": {"title": "KubeServe", "version": "1"},
        "paths": {},
        "components": {"schemas": _bare(document["components"]["schemas"])},
    }


def digest(document: dict[str, Any]) -> str:
    """Name a document by what is in it; the file of types says which one it was made of."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _bare(value: Any, *, names: bool = True) -> Any:
    """Leave prose out. `names`: the members of this object are names, which may be such words."""
    if isinstance(value, list):
        return [_bare(one, names=False) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _bare(one, names=not names and name == "properties")
        for name, one in value.items()
        if names or name not in PROSE
    }


def main() -> None:
    """Write the document to the file; with --stamp, its digest to the head of the types."""
    document = schemas()
    if sys.argv[1] == "--stamp":
        text = TYPES.read_text()
        TYPES.write_text(f"// Of the schemas {digest(document)}\n{text}")
    else:
        Path(sys.argv[1]).write_text(json.dumps(document))


if __name__ == "__main__":
    main()
