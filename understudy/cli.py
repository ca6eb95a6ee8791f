"""The command ``understudy``: one function a command, in the files ``cli_*.py`` beside this one."""

from __future__ import annotations

import io
import os
import sys
from typing import Annotated

import typer

from . import __version__, cli_store
from .cli_check import check, schema
from .cli_diagram import diagram
from .cli_evaluate import evaluate
from .cli_knowledge import knowledge
from .cli_learn import ask, learn
from .cli_new import new
from .cli_run import fork, replay, resume, run
from .cli_runs import runs
from .cli_support import Face
from .cli_test import test
from .cli_train import train

app = typer.Typer(
    name="understudy",
    cls=Face,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a traceback is a mistake of ours and stays readable by machines
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"understudy {__version__}")
        raise typer.Exit


@app.callback()
def face(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Agents that learn their role from a few demonstrations, on one local GPT.

    No account, no key, no network. Exit status: 0 success, 1 a failed run, 2 a bad call or file.
    """


app.command()(run)
app.command()(resume)
app.command()(replay)
app.command()(fork)
app.command()(new)
app.command()(learn)
app.command()(ask)
app.command()(check)
app.command()(schema)
app.command()(diagram)
app.command()(test)
app.command()(evaluate)
for command in cli_store.COMMANDS:
    knowledge.command()(command)
app.add_typer(knowledge, name="knowledge")
app.add_typer(runs, name="runs")
app.add_typer(train, name="train")


def main() -> None:
    """The console script. Libraries below are told to be quiet, because stdout and stderr are the user's."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # what the terminal lacks is shown by its number
    app()
