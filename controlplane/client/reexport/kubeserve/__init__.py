"""The KubeServe SDK: `from kubeserve import Client`."""
