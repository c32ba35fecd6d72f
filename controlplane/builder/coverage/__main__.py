"""Print the coverage table."""

import sys

from controlplane.builder.coverage.page import page
from controlplane.builder.coverage.trial import rows

sys.stdout.write(page(rows()))
