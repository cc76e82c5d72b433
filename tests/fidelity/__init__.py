"""Witnesses for docs/fidelity.md: what AWS does, as far as can be told without an account."""
