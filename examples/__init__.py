"""Other people's workflows, each a folder to run and to copy; and the harness that runs them."""
