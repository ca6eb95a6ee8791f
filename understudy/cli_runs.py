"""``understudy runs``: what the journal knows."""

from __future__ import annotations

import typer

runs = typer.Typer(no_args_is_help=True, help="What the journal knows: list, show.")


@runs.command("list")
def list_runs() -> None:
    """x"""


@runs.command("show")
def show_run() -> None:
    """x"""
