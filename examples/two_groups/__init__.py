"""A release workflow under a policy: one of security and two of operations."""
