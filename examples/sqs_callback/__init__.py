"""A state that hands its task token to a queue, and a worker that answers it."""
