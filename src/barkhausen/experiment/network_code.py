"""Source of a network of the user's own: pinned by its digest, part of the summary, the same when a run resumes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from barkhausen.core.errors import InputError
from barkhausen.core.user_code import UserFunction
from barkhausen.experiment.recipe import Recipe

FACTORY, SOURCE = "network.factory", "network.factory_sha256"


def pinned(recipe: Recipe) -> Recipe:
    """The recipe with the digest of the source of its network, where that is a function of the user's own.

    Raises:
        InputError: The code is not allowed, or is another than the recipe names.
    """
    network = recipe.network
    if network.factory is None:
        return recipe
    function = UserFunction(network.factory, FACTORY)
    digest = function.digest()
    if network.factory_sha256 not in (None, digest):
        raise InputError(
            f"network.factory = {network.factory!r}: the source of {function.module!r} is not the one of "
            f"network.factory_sha256 = {str(network.factory_sha256)[:12]}…, but {digest[:12]}…"
        )
    return recipe.model_copy(update={"network": network.model_copy(update={"factory_sha256": digest})})


def code_summary(factory: str | None) -> dict[str, Any] | None:
    """Function that made the network, with the SHA-256 of its source files; None for a network of the package."""
    if factory is None:
        return None
    function = UserFunction(factory, FACTORY)
    files = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in function.files().items()}
    return {"factory": factory, "sha256": function.digest(), "files": files}


def changed_source(recipe: Recipe, before: str, directory: Path, *, accepted: bool) -> str:
    """Note for the summary of a run that resumes with another source.

    Args:
        recipe: Recipe with the digest of the new source.
        before: Digest of the source that the run was started with.
        directory: Directory of the run.
        accepted: Whether the user accepts the new source.

    Raises:
        InputError: The user does not.
    """
    network = recipe.network
    if not accepted:
        raise InputError(
            f"{directory}: the source of network.factory = {network.factory!r} has changed since the run was started; "
            "--accept-changed-code resumes with the new source, or choose another --out, or --overwrite"
        )
    return (
        f"resumed with another source of {network.factory}: SHA-256 {before[:12]}… before, "
        f"{str(network.factory_sha256)[:12]}… after"
    )
