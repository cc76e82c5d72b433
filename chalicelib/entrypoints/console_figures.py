"""Figures in the console: how many requests were decided, how, and how fast."""

from ..application.figures import DUE, NEWEST, find_figures
from ..application.ports import Ports
from ..presentation.console.figures import figures_page
from . import console
from .web import Call, Reply


def figures(call: Call, ports: Ports) -> Reply:
    """Show the figures."""
    visit = console.signed_in(call, ports)
    page = figures_page(visit, find_figures(ports), most=NEWEST, most_waiting=DUE)
    return console.reply(visit, page)
