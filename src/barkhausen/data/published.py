"""Published files: found on disk and verified, or downloaded; always whole, never a damaged part."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import pooch

from barkhausen.core.errors import DataNotFoundError, InputError

DATA_VARIABLE: Final = "BARKHAUSEN_DATA"
"""Environment variable that names the root of the data sets."""

SHA256: Final = "sha256:"
"""Start of a checksum that is a SHA-256, as pooch writes it; one without it is an MD5."""

DOWNLOAD_TIMEOUT: Final = 15.0
"""Seconds to wait for a connection, and for each piece of the answer."""


@dataclass(frozen=True)
class PublishedFile:
    """One file of a published data set.

    Attributes:
        name: File name without the ending of the packed form.
        packed_md5: Checksum of the original packed file; None if it was not published packed.
        unpacked_md5: Checksum of its content; None if all files are checked together.
        packed_sha256, unpacked_sha256: SHA-256 of the same; checked instead of the MD5 where they are given.
        packing: Ending of the packed form.
    """

    name: str
    packed_md5: str | None = None
    unpacked_md5: str | None = None
    packed_sha256: str | None = None
    unpacked_sha256: str | None = None
    packing: Literal["gz", "xz"] = field(default="gz", kw_only=True)

    @property
    def packed(self) -> str | None:
        """Checksum of the packed file for :func:`check_sum`."""
        return f"{SHA256}{self.packed_sha256}" if self.packed_sha256 is not None else self.packed_md5

    @property
    def unpacked(self) -> str | None:
        """Checksum of the content for :func:`check_sum`."""
        return f"{SHA256}{self.unpacked_sha256}" if self.unpacked_sha256 is not None else self.unpacked_md5


def check_sum(path: Path, content: bytes, published: str | None, what: str = "", whole: str = "file") -> None:
    """Refuse content that is not the published one.

    Args:
        path: File for the message.
        content: Bytes to check.
        published: Published checksum: ``sha256:`` and 64 hexadecimal digits, or an MD5 of 32. None: nothing is checked.
        what: Words after the checksum found, such as ``" of the text"``.
        whole: Word for what was published.

    Raises:
        InputError: The checksum is another one.
    """
    if published is None:
        return
    if published.startswith(SHA256):
        name, expected, found = "sha256", published.removeprefix(SHA256), hashlib.sha256(content).hexdigest()
    else:
        # This one guards against accidents, not attacks; some hardened builds forbid MD5 for the latter.
        name, expected, found = "md5", published, hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != expected:
        raise InputError(f"{path}: wrong checksum: {name} {found}{what} where the published {whole} has {expected}")


@dataclass(frozen=True)
class PublishedFiles:
    """The files of a published data set, and where they are looked for.

    Attributes:
        name: Name of the data set.
        folder: Folder of the files below the root, with forward slashes.
        files: The files.
        address: URL (https) of the folder that the files are downloaded from, with the slash at its end; None if they
            cannot be downloaded.
        home: Where a person can get files that are not downloaded.
        archive: Archive that holds all files, which may lie at a root in their place; it is what is downloaded.
    """

    name: str
    folder: str
    files: tuple[PublishedFile, ...]
    address: str | None = None
    home: str = ""
    archive: PublishedFile | None = None

    def find(self, data_dir: Path | None = None, *, allow_download: bool = True) -> tuple[Path, str]:
        """The first root that has all files, and its name in summaries.

        The places: ``data_dir``; the directory named by the environment variable ``BARKHAUSEN_DATA`` (unset and empty
        are the same); ``../shared/data`` beside the repository; the user's cache; a download into that cache. The user
        names the first two: if one is given, no later place is looked at.

        Args:
            data_dir: Root in torchvision's layout, so that MNIST lies in ``data_dir/MNIST/raw``.
            allow_download: Whether the network may be used.

        Raises:
            DataNotFoundError: The files are in none of the places, and downloading failed or is not allowed.
            InputError: The directory named by the user does not exist or lacks a file.
        """
        if data_dir is not None:
            self._require(data_dir, "--data-dir")
            return data_dir, "directory given by --data-dir"
        if os.environ.get(DATA_VARIABLE):
            root = Path(os.environ[DATA_VARIABLE])
            self._require(root, DATA_VARIABLE)
            return root, DATA_VARIABLE
        searched = []
        for source, root in _places():
            lacking = self._first_lacking(root)
            if lacking is None:
                return root, source
            searched.append(f"{source} (no {lacking})")
        if self.address is None:
            failure: str | None = f"it is not downloaded: get it from {self.home}"
        else:
            failure = self._download(self.address, user_cache()) if allow_download else "downloading is not allowed"
        if failure is not None:
            raise DataNotFoundError(
                f"{self.name}: not found in {', '.join(searched)}; {failure}; "
                f"name a directory that has it with --data-dir or {DATA_VARIABLE}"
            )
        return user_cache(), "download"

    def present(self, file: PublishedFile, root: Path) -> tuple[Path, str | None]:
        """The form of a file that lies at the root, packed if both do, and the checksum it must have.

        The checksum of a file that was not published packed is that of its content in either form.
        """
        packed = self._packed(file, root)
        if _why_not(packed) is None:
            return packed, file.packed or file.unpacked
        return self._unpacked(file, root), file.unpacked

    def packed_together(self, root: Path) -> Path | None:
        """The archive of all files, if it lies at the root."""
        path = None if self.archive is None else root / self.archive.name
        return path if path is not None and _why_not(path) is None else None

    def _packed(self, file: PublishedFile, root: Path) -> Path:
        return root / self.folder / f"{file.name}.{file.packing}"

    def _unpacked(self, file: PublishedFile, root: Path) -> Path:
        return root / self.folder / file.name

    def _lacks(self, file: PublishedFile, root: Path) -> bool:
        return _why_not(self._packed(file, root)) is not None and _why_not(self._unpacked(file, root)) is not None

    def _first_lacking(self, root: Path) -> Path | None:
        """The first file that lies at the root in neither form; None if all are there."""
        if self.packed_together(root) is not None:
            return None
        return next((self._packed(file, root) for file in self.files if self._lacks(file, root)), None)

    def _require(self, root: Path, named_by: str) -> None:
        """Check the directory that the user named.

        Raises:
            InputError: The directory, or a file in it, is not there.
        """
        absent, reason = root, _why_not(root, directory=True)
        if reason is None:
            lacking = self._first_lacking(root)
            if lacking is None:
                return
            absent, reason = lacking, _why_not(lacking)
        names = ",".join(file.name for file in self.files)
        whole = "" if self.archive is None else f"{self.archive.name} or "
        raise InputError(
            f"{absent}: {reason}; {named_by} must name a directory that holds {whole}{self.folder}/{{{names}}}, "
            f"each with or without .{self.files[0].packing}"
        )

    def _download(self, address: str, cache: Path) -> str | None:
        """Complete the cache from the network; return why that failed, or None.

        An existing file is not downloaded again; reading it checks it.
        """
        downloader = pooch.HTTPDownloader(timeout=DOWNLOAD_TIMEOUT)
        wanted = self.files if self.archive is None else (self.archive,)
        for file in wanted:
            if self.archive is None and not self._lacks(file, cache):
                continue
            target = self._packed(file, cache) if self.archive is None else cache / file.name
            url = f"{address}{target.name}"
            try:
                with _quiet_pooch():
                    pooch.retrieve(
                        url,
                        known_hash=file.packed if file.packed_sha256 else f"md5:{file.packed_md5}",
                        fname=target.name,
                        path=target.parent,
                        downloader=downloader,
                    )
            # The errors of requests are OSErrors, some of them ValueErrors too; pooch's own ValueError is a wrong
            # checksum, for which it has already removed the file.
            except OSError as error:
                return f"downloading {url} failed ({_in_short(error)})"
            except ValueError:
                return f"downloading {url} failed (what came has the wrong checksum)"
        return None


def user_cache() -> Path:
    """Where downloads are kept: the operating system's directory for this user's caches."""
    return Path(pooch.os_cache("barkhausen"))


def beside_repository() -> Path | None:
    """``../shared/data`` of the repository this file lies in; None if the package was installed elsewhere."""
    # Exactly two levels up (src layout): a search further up could end at another project's file.
    repository = Path(__file__).resolve().parents[1].parent.parent
    if not (repository / "pyproject.toml").is_file():
        return None
    return repository.parent / "shared" / "data"


def _places() -> Iterator[tuple[str, Path]]:
    """The places nobody named, first choice first, each with its name in summaries."""
    shared = beside_repository()
    if shared is not None:
        yield "shared/data beside the repository", shared
    yield "user cache", user_cache()


def _why_not(path: Path, *, directory: bool = False) -> str | None:
    """Why there is no such file (or directory) to be had at the path; None if there is."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        return (error.strerror if isinstance(error, OSError) else None) or str(error)
    if directory:
        return None if stat.S_ISDIR(mode) else "not a directory"
    return None if stat.S_ISREG(mode) else "not a file"


def _in_short(error: OSError) -> str:
    # Only the errors of requests have a response; the others are the file system's and name the path.
    if not hasattr(error, "response"):
        return str(error)
    # The text of a connection error is half a page of nested objects; its type says enough: ConnectTimeout.
    status = getattr(error.response, "status_code", None)
    return type(error).__name__ if status is None else f"{type(error).__name__} {status}"


@contextlib.contextmanager
def _quiet_pooch() -> Iterator[None]:
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
