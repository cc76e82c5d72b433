"""The callback pattern at its smallest, without Assent."""
