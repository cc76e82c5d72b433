"""Task tokens of every form. An approval must carry each of them unchanged.

Emulators make short ones of letters. AWS makes ones of about 660 characters with `+`, `/` and `=`,
and may make them of up to 2,048.
"""

import string

from tests.fakes import TOKEN

BASE64 = string.ascii_letters + string.digits + "+/="
LIKE_AWS = "AQCEAAAAKgAAAAMAAAAA" + "b+/c==d+" * 80
TASK_TOKENS = [TOKEN, LIKE_AWS, "t", "=" * 2_048, ("+/=" * 683)[:2_048], "A" * 2_048]

assert len(LIKE_AWS) == 660
