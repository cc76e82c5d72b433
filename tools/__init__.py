"""Commands that run on a developer's machine, never in Lambda: deploy, destroy, the sandbox."""
