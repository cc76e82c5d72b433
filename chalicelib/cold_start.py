"""Python's garbage collection for a cold start. `app.py` imports this before our other modules."""

import gc

gc.set_threshold(100_000)
"""A cold start makes about 100,000 objects and hardly any garbage. With Python's threshold of 700
they are searched for it some hundred times: 0.03 of a bare handler's cold first page
(docs/decisions/0030-*.md)."""
