"""What runs on a person's machine, never in Lambda: deploy, destroy, and the sandbox."""
