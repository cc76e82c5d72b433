"""The measurements, `make bench`: Assent beside a bare Chalice handler, in one run."""
