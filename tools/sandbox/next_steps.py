"""What `make demo` prints when all is up: the way from the first mail to its execution's result."""

from tools.sandbox.samples import APPROVERS, ASK, NEXT_REQUEST
from tools.sandbox.state import operator_variables
from tools.sandbox.system import System

ASSENT = ".venv/bin/assent"
"""The command of client/, in the checkout's folder."""


def next_steps(system: System, execution: str, console: str) -> str:
    """Return the steps; every line of a command works as it is pasted.

    `console` is the link that opens the console.
    """
    state = system.state
    with_curl = system.operator.curl(f"{state['api']}/executions", NEXT_REQUEST)
    return f"""
1. Open the mailbox, and there the mail to {APPROVERS[0]}:

   {state["inbox"]}

2. Follow the mail's APPROVE link, and press the button of its page.

3. See what happened, as an operator. Paste this into another terminal, in this folder:

{_variables(system)}
{ASSENT} show --execution {execution}

4. Or look into the console. This link signs you in, once, within two minutes. The command below
   it prints another one, in the terminal of step 3.

   {console}

{ASSENT} console

More to try there:

{ASSENT} start {ASK} --wait
{ASSENT} list
{ASSENT} approvers list
{ASSENT} --help

The same question without the command, by a signed call of the API:

{with_curl}

New approvers are invited first and get their first mail after two or three minutes.
Ctrl-C stops everything."""


def _variables(system: System) -> str:
    """Return the line with which AWS's tools and the command are the sandbox's operator."""
    variables = operator_variables(system.state).items()
    return "export " + " \\\n  ".join(f"{name}={value}" for name, value in variables)
