"""The start of a locked process: `-m runtime.fallback.confined SOCKET MODEL PARENT OPTIONS`.

Takes its control group and its namespaces before anything is imported, since the process that stays
outside of them would keep all of it in memory. Tells its process id first, 8 bytes, then goes on as
`runtime.fallback.worker`.
"""

import json
import sys
from importlib import import_module

from runtime import arrowless
from runtime.sandbox import cgroups, die_with_parent, enclose


def main() -> None:
    channel, model, parent = (int(argument) for argument in sys.argv[1:4])
    options = json.loads(sys.argv[4])
    die_with_parent(parent)
    group = cgroups.joined(cgroups.from_words(options["group"]))
    enclosure = enclose(channel)
    arrowless.hide()
    import_module("runtime.fallback.worker").work(channel, model, options, enclosure, group)


if __name__ == "__main__":
    main()
