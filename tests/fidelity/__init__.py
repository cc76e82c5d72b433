"""Witnesses for docs/fidelity.md: what AWS does, as far as it can be known without an account."""
