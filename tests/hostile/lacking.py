"""A host that lacks something: system calls that are answered as by a kernel without them."""

import ctypes
import os
import struct
from collections.abc import Iterable
from typing import Final

X86: Final = os.uname().machine == "x86_64"
LANDLOCK: Final = (444, 445, 446)
SECCOMP: Final = (317 if X86 else 277,)
NAMESPACES: Final = (272 if X86 else 97,)
MOUNTS: Final = (428, 429, 442)
_LOAD, _JEQ, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _NOT_THERE = 0x7FFF0000, 0x00050000 | 38


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def lack(numbers: Iterable[int]) -> None:
    """Have these system calls answer ENOSYS in this process and all it starts, for good."""
    code = [struct.pack("=HBBI", _LOAD, 0, 0, 0)]
    for number in numbers:
        code.append(struct.pack("=HBBI", _JEQ, 0, 1, number))
        code.append(struct.pack("=HBBI", _RETURN, 0, 0, _NOT_THERE))
    code.append(struct.pack("=HBBI", _RETURN, 0, 0, _ALLOW))
    program = _Program(len(code), b"".join(code))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(38, 1, 0, 0, 0)
    if libc.prctl(22, 2, ctypes.byref(program), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no filter")
