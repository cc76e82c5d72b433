"""Assent: a human yes or no for AWS Step Functions. README.md has the map."""
