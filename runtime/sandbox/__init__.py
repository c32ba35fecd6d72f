"""The process sandbox: what runs a tenant's code locks itself in here first. Standard library only.

Layers, each for itself and for good: resource limits, own uid and no capabilities, no_new_privs,
namespaces, Landlock, seccomp. The caller imports what it needs, calls `lock`, and only then
touches anything of a tenant.
"""

from runtime.sandbox.lock import Profile, SandboxError, detect, lock, python_paths
from runtime.sandbox.privileges import die_with_parent

__all__ = ["Profile", "SandboxError", "detect", "die_with_parent", "lock", "python_paths"]
