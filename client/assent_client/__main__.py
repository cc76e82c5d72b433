"""`python -m assent_client` is the command `assent`."""

from .commands import assent

assent(prog_name="assent")
