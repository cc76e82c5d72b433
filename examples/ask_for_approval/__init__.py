"""The smallest workflow that asks people through Assent. An example of its own: see README.md."""
