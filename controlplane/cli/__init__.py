"""The command `kubeserve`."""
