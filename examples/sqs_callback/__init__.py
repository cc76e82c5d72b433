"""A state that sends its task token to a queue, and a worker that answers it."""
