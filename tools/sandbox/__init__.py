"""The whole system on one machine: `python -m tools.sandbox`, which is `make demo`.

MiniStack stands in for AWS and a web page for everybody's mail. Whatever the emulator needs to be
told otherwise than AWS stands in this package; what is deployed is the same.
"""
