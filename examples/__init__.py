"""Example workflows to run and to copy, one a folder, and the commands that deploy and run them."""
