"""Wheels out of a bundle: `-m controlplane.builder.unpack BUNDLE FOLDER LIMITS WHEEL…`, locked.

uv takes wheels as files, and a bundle is a tenant's bytes: they are read in here, where nothing but
one folder can be written. The files are numbered as the wheels are named; who started this compares
their digests. An exit code other than 0 says that the bundle is not the one that was looked into.
"""

import json
import os
import sys

from controlplane.builder.bundled import RATIO, check_wheel
from runtime.bundle import WHEELS, Bundle, copy
from runtime.sandbox import Profile, enclose, lock


def main() -> None:
    bundle, folder, limits, *wheels = sys.argv[1:]
    profile = json.loads(limits)
    enclosure = enclose(wanted=profile.pop("namespaces", True))
    lock(Profile(writable=(folder,), keep=(int(bundle),), **profile), enclosure)
    opened = Bundle.open(int(bundle))
    for number, name in enumerate(wheels):
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        target = os.open(os.path.join(folder, str(number)), flags, 0o600)
        with opened.member(WHEELS + name) as file:
            copy(file, target, name)
        # Once more, where it counts: an installer that is not locked opens it next.
        check_wheel(target, name, RATIO)
        os.close(target)


if __name__ == "__main__":
    main()
