"""Wire formats of predictions, both directions each; no HTTP, no sockets."""
