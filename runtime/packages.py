"""Packages of a bundle's environment: a folder that a locked process may read and import from."""

import sys


def add(folder: str) -> None:
    """Make what is in a folder importable: after Python's own modules, before other packages.

    Called after the lock. The folder holds a tenant's packages, so no `.pth` file of it is obeyed,
    and nothing of it is imported by what is trusted.
    """
    places = [
        at
        for at, path in enumerate(sys.path)
        if path.rstrip("/").endswith(("site-packages", "dist-packages"))
    ]
    sys.path.insert(places[0] if places else len(sys.path), folder)
