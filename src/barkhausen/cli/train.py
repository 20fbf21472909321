"""The command ``barkhausen train``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from barkhausen.cli.terminal.completion import complete_recipe
from barkhausen.cli.terminal.options import AllowCode, DataDir, Overwrite
from barkhausen.cli.terminal.results import print_digital_weights, print_results
from barkhausen.core.errors import InputError


def train(
    recipe: Annotated[
        Path,
        typer.Argument(help="Recipe: a TOML file, or a name of `barkhausen recipes`.", autocompletion=complete_recipe),
    ],
    out: Annotated[Path, typer.Option("--out", help="Directory of the run, in which an interrupted run resumes.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a key: states=3, dataset.name=digits. May be repeated."),
    ] = None,
    init_from: Annotated[
        Path | None,
        typer.Option("--init-from", help="Start from the weights of another run (its directory), or of a checkpoint."),
    ] = None,
    lengthen: Annotated[
        bool,
        typer.Option("--lengthen", help="Train the run in the directory on, to the greater number of epochs given."),
    ] = False,
    data_dir: DataDir = None,
    overwrite: Overwrite = False,
    mlflow: Annotated[
        str | None,
        typer.Option("--mlflow", help="Log also to MLflow: sqlite:///runs/mlflow.db, or http://… of a server."),
    ] = None,
    mlflow_experiment: Annotated[
        str | None,
        typer.Option("--mlflow-experiment", help="MLflow experiment of the run. Default: barkhausen."),
    ] = None,
    allow_code: AllowCode = None,
    accept_changed_code: Annotated[
        bool,
        typer.Option("--accept-changed-code", help="Resume although the source of network.factory has changed."),
    ] = False,
) -> None:
    """Train a network from a recipe, or resume an interrupted run."""
    from barkhausen.core.progress import Terminal
    from barkhausen.core.user_code import code_allowed
    from barkhausen.experiment.logs.mlflow import EXPERIMENT, Mlflow
    from barkhausen.experiment.recipe import load_recipe
    from barkhausen.experiment.recipe.earlier import recipe_for
    from barkhausen.experiment.run import Run

    if mlflow is None and mlflow_experiment is not None:
        raise InputError("--mlflow-experiment needs --mlflow URI")
    experiment = EXPERIMENT if mlflow_experiment is None else mlflow_experiment
    start = [] if init_from is None else [f"init_from={json.dumps(str(init_from))}"]
    given = [*(settings or []), *start]
    run = Run(
        load_recipe(recipe, given) if overwrite else recipe_for(recipe, given, out),
        out,
        logs=() if mlflow is None else (Mlflow(mlflow, experiment, warn=lambda line: typer.echo(line, err=True)),),
        data_dir=data_dir,
        overwrite=overwrite,
        lengthen=lengthen,
        progress=Terminal(Console(stderr=True)),
        accept_changed_code=accept_changed_code,
    )
    with code_allowed(allow_code or ()):
        summary = run.execute()
    print_results([summary])
    device = summary["device"]
    if "margin_in_words" in device:
        typer.echo(f"margin {device['margin']:g}: {device['margin_in_words']}")
    for note in summary["notes"]:
        typer.echo(note)
    print_digital_weights(summary)
    typer.echo(f"summary in {out / 'summary.json'}")
