"""``zairyo formats``: what can be read."""

from __future__ import annotations

import json

import click


@click.command(short_help="List the formats that can be read.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
def command(as_json: bool) -> None:
    """List the formats that can be read, by technique, vendor and ending.

    Files are recognised by what is in them; the ending only helps where text does not say what it is.
    """
    from zairyo.measurement.techniques import TECHNIQUES
    from zairyo.readers.registry import default_registry

    registry = default_registry()
    readers = sorted(registry.readers.values(), key=lambda r: (r.vendor.casefold(), r.format.casefold()))
    if as_json:
        fields = ("name", "version", "techniques", "vendor", "format", "endings", "notes")
        listed = [{f: getattr(reader, f) for f in fields} for reader in readers]
        click.echo(json.dumps(listed, ensure_ascii=False))
    else:
        for key, technique in TECHNIQUES.items():
            mine = [r for r in readers if key in r.techniques]
            if not mine:
                continue
            click.secho(technique.title, bold=True)
            for reader in mine:
                what = f"{reader.vendor} {reader.format}".strip()
                click.echo(f"  {what:<46} {' '.join(reader.endings):<22} {reader.name}")
    for problem in registry.problems:
        click.secho(f"not loaded: {problem.where}: {problem.message}", fg="red", err=True)
