"""All of Assent on one machine: `python -m tools.sandbox`, which `make demo` runs.

MiniStack emulates AWS, and a web page shows every approver's mail. The differences between the
emulator and AWS are handled in this package; what is deployed is the same.
"""
