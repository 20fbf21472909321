"""The command ``barkhausen backends``."""

from __future__ import annotations

from rich.table import Table

from barkhausen.cli.terminal.console import wide_console


def backends() -> None:
    """List the available micromagnetics backends: the compiled kernel, torch on the CPU, torch on CUDA."""
    import torch

    from barkhausen.micromagnetics import compiled

    table = Table("backend", "available", "precision", "notes")
    if compiled.available():
        table.add_row("compiled", "yes", "float32", f"CPU, {compiled.variant()}; chosen by default")
    else:
        table.add_row("compiled", "no", "float32", str(compiled.unavailable_reason()))
    threads = f"CPU, {torch.get_num_threads()} threads, torch {torch.__version__}"
    table.add_row("torch", "yes", "float32, float64", threads)
    cuda = torch.cuda.get_device_name() if torch.cuda.is_available() else "torch sees no CUDA device"
    table.add_row("torch (cuda)", "yes" if torch.cuda.is_available() else "no", "float32, float64", cuda)
    wide_console().print(table)
