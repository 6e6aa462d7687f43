"""The command ``zairyo``. A subcommand's module is imported when it runs, so that ``zairyo --help`` is instant."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import click

import zairyo

#: Subcommand → ``module:attribute`` of its click command, and what ``zairyo --help`` says of it.
COMMANDS: dict[str, tuple[str, str]] = {
    "translate": ("zairyo.cli.translate:command", "Translate instrument files into the standard form."),
    "export": ("zairyo.cli.export:command", "Hand measurements on as RDE, MaiML or RO-Crate."),
    "describe": (
        "zairyo.cli.describe:command",
        "Numbers from measurements: peaks, enthalpies, capacities, fits.",
    ),
    "predict": ("zairyo.cli.predict:command", "Predict a property from a table, and how far to trust it."),
    "worth": ("zairyo.cli.worth:command", "Is a measurement worth making, to predict a property?"),
    "recommend": ("zairyo.cli.recommend:command", "Which experiments to make next."),
    "simulate": ("zairyo.cli.simulate:command", "Replay a complete table with any strategies."),
    "formats": ("zairyo.cli.formats:command", "List the formats that can be read."),
    "serve": ("zairyo.cli.serve:serve", "Run the platform: catalogue, web pages, translation."),
    "work": ("zairyo.cli.work:work", "Run a further translation worker."),
    "agent": ("zairyo.cli.agent:agent", "Send an instrument's files to the platform by themselves."),
    "admin": ("zairyo.cli.admin:admin", "Accounts, backup and restore of a platform."),
    "demo": ("zairyo.cli.demo:demo", "Try it all: a platform and three instruments at work."),
}


class _Lazy(click.Group):
    """A group whose commands are listed from the table and imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        try:
            command = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as e:
            if (e.name or "").startswith("zairyo"):
                raise click.ClickException(f"this installation has no `zairyo {cmd_name}` ({e})") from None
            raise click.ClickException(
                f"`zairyo {cmd_name}` needs {e.name}, which is not installed; `pip install 'zairyo[server]'` adds it."
            ) from None
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(zairyo.__version__, prog_name="zairyo")
def cli() -> None:
    """Zairyo (材料): a materials laboratory's data, from the instrument to the next experiment."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; ends the process with its exit status."""
    cli.main(args=None if arguments is None else list(arguments), prog_name="zairyo")
