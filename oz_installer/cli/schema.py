"""``oz-install schema``."""

from __future__ import annotations

import click


@click.command()
def schema() -> None:
    """Print the JSON Schema of answers.yml, for editors."""
    import json

    from oz_installer.answers.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2))
