"""Print the coverage table, or with `operations` the table of what plans are made of."""

import sys

from controlplane.builder.coverage import operations, page
from controlplane.builder.coverage.plans import every_plan
from controlplane.builder.coverage.trial import rows

if sys.argv[1:] == ["operations"]:
    sys.stdout.write(operations.page(operations.operations(every_plan())))
else:
    sys.stdout.write(page.page(rows()))
