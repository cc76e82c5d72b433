"""The benchmark, `make bench`: Assent compared with a bare Chalice handler, the tick, counting."""
