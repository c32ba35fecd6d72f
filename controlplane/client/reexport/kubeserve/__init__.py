"""The KubeServe SDK: `from kubeserve import Client`."""

from controlplane.client import *  # noqa: F403
from controlplane.client import __all__ as __all__
