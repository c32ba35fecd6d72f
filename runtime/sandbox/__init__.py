"""The process sandbox: what runs a tenant's code locks itself in here first. Standard library only.

Layers, each for itself and for good: control group, namespaces, resource limits, private root, own
uid and no capabilities, no_new_privs, Landlock, seccomp. The caller joins its group and calls
`enclose` first of all, imports what it needs, calls `lock`, and only then touches anything of a
tenant.
"""

from runtime.sandbox.lock import Profile, SandboxError, detect, lock, python_paths
from runtime.sandbox.namespaces import Enclosure, enclose
from runtime.sandbox.privileges import die_with_parent

__all__ = [
    "Enclosure",
    "Profile",
    "SandboxError",
    "detect",
    "die_with_parent",
    "enclose",
    "lock",
    "python_paths",
]
