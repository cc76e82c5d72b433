"""The smallest workflow that asks for approval through Assent."""
