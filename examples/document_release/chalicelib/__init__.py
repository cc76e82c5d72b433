"""The code behind the functions of `app.py`."""
