"""The callback pattern in its smallest form, without Assent."""
