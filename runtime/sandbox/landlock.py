"""Landlock by ctypes: files, TCP, signals, abstract sockets; needs no privilege (Linux 5.13+)."""

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from typing import Final

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_VERSION_FLAG, _PATH_BENEATH = 1, 1

_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
_REMOVE_FILE, _MAKE_REG, _TRUNCATE = 1 << 5, 1 << 8, 1 << 14
_FILE_ONLY: Final = _WRITE_FILE | _READ_FILE | _TRUNCATE
_READ: Final = _READ_FILE | _READ_DIR
# No symbolic links, folders, sockets or devices: what a child leaves must be plain files.
_WRITE: Final = _READ | _WRITE_FILE | _REMOVE_FILE | _MAKE_REG | _TRUNCATE

# All rights a kernel of that version knows are handled, that is: denied unless a rule gives them.
_FS_BITS: Final = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # highest known: 16 bits from version 5 on
_TCP: Final = 0b11  # bind, connect; version 4
_SCOPES: Final = 0b11  # abstract unix sockets, signals; version 6


class LandlockError(OSError):
    """The kernel has no Landlock, or refused a rule."""


def version() -> int:
    """Give the kernel's Landlock version, 0 where there is none."""
    libc = ctypes.CDLL(None, use_errno=True)
    found = int(libc.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG))
    return max(found, 0)


def restrict(readable: Iterable[str], writable: Iterable[str]) -> None:
    """Deny the file system but for these paths (those that exist), TCP, and signals to others.

    Only the calling thread is restricted: call it before there is another. Needs no_new_privs.
    """
    have = version()
    if not have:
        raise LandlockError(38, "this kernel has no Landlock")
    handled = (1 << _FS_BITS.get(have, 16)) - 1
    ruleset = _create(have, handled)
    try:
        for paths, rights in ((readable, _READ), (writable, _WRITE)):
            for path in paths:
                _allow(ruleset, path, rights & handled)
        _call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _create(have: int, handled: int) -> int:
    attributes = struct.pack("=Q", handled)
    if have >= 4:
        attributes += struct.pack("=Q", _TCP)
    if have >= 6:
        attributes += struct.pack("=Q", _SCOPES)
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    return _call(_CREATE_RULESET, buffer, len(attributes), 0)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return  # what cannot be opened needs no rule
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= _FILE_ONLY
        rule = struct.pack("=Qi", rights, place)
        buffer = ctypes.create_string_buffer(rule, len(rule))
        _call(_ADD_RULE, ruleset, _PATH_BENEATH, buffer, 0)
    finally:
        os.close(place)


def _call(number: int, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    result = int(libc.syscall(number, *arguments))
    if result < 0:
        error = ctypes.get_errno()
        raise LandlockError(error, f"landlock: {os.strerror(error)}")
    return result
