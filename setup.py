"""Builds the compiled libraries: the micromagnetic kernel, compiled once per instruction set and chosen at run time,
the scan and the updates of the learning rules, spiking neurons, the decay of devices, and the stochastic reads of
devices.

Everything else about the package stands in pyproject.toml. Without a compiler the package installs all the same and
uses torch.
"""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

PACKAGE = "barkhausen.micromagnetics.compiled"
FOLDER = Path("src/barkhausen/micromagnetics/compiled/cpp")
SCANS = {
    "_scan": ("barkhausen.learning.compiled", "src/barkhausen/learning/compiled/scan.cpp"),
    "_split": ("barkhausen.learning.compiled", "src/barkhausen/learning/compiled/split.cpp"),
    "_spiking": ("barkhausen.learning.compiled", "src/barkhausen/learning/compiled/spiking.cpp"),
    "_stdp": ("barkhausen.learning.compiled", "src/barkhausen/learning/compiled/stdp.cpp"),
    "_pulses": ("barkhausen.synapse.pulsed", "src/barkhausen/synapse/pulsed/pulses.cpp"),
    "_reads": ("barkhausen.synapse.compiled", "src/barkhausen/synapse/compiled/reads.cpp"),
    "_decay": ("barkhausen.synapse.compiled", "src/barkhausen/synapse/compiled/decay.cpp"),
}
"""Libraries of one source: package and source of each."""
BUILT_FROM = "src/barkhausen/built_from.txt"

COMMON = ["-std=c++17", "-fPIC", "-fvisibility=hidden", "-O3", "-g0", "-Wno-psabi"]
# See kernel.cpp for why these three and not -ffast-math.
# Bit for bit what torch computes: nothing is fused.
SCAN = ["-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off", "-fno-exceptions", "-fno-rtti"]
KERNEL = ["-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast", "-fno-exceptions", "-fno-rtti"]


def variants() -> dict[str, list[str]]:
    """Names and compiler flags of the kernels for this architecture; the names are those in dispatch.cpp."""
    machine = platform.machine().lower()
    if machine in {"x86_64", "amd64"}:
        avx2 = ["-mavx2", "-mfma"]
        avx512 = [*avx2, "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl"]
        return {"baseline": [], "avx2": avx2, "avx512": avx512}
    if machine in {"aarch64", "arm64"}:
        return {"neon": []}
    return {"baseline": []}


class BuildLibraries(build_ext):
    """Compiles kernel.cpp for each variant, and the libraries of one source; a failure is a warning."""

    def get_ext_filename(self, fullname: str) -> str:
        """Not an extension module of Python, so named without the ABI of one."""
        if fullname.rpartition(".")[2] in {"_kernel", *SCANS}:
            return str(Path(*fullname.split(".")).with_suffix(".so"))
        return super().get_ext_filename(fullname)

    def get_export_symbols(self, ext: Extension) -> list[str]:
        """There is no PyInit function to export."""
        return []

    def build_extension(self, ext: Extension) -> None:
        """Replaces the compilation of one source with one set of flags."""
        try:
            self._build(ext)
        except Exception as error:  # whatever the compiler, or its absence, comes up with
            reason = " ".join(str(error).split())
            self.warn(f"{ext.name} was not built, the slower torch code is used: {reason}")

    def _build(self, ext: Extension) -> None:
        def compiled(source: str | Path, folder: str, flags: list[str]) -> list[str]:
            target = str(Path(self.build_temp) / folder)
            objects: list[str] = self.compiler.compile(
                [str(source)], output_dir=target, extra_postargs=[*COMMON, *flags], depends=ext.depends
            )
            return objects

        name = ext.name.rpartition(".")[2]
        if name in SCANS:
            objects = compiled(SCANS[name][1], name, SCAN)
        else:
            objects = compiled(FOLDER / "dispatch.cpp", "dispatch", ["-pthread"])
        for name, flags in variants().items() if ext.name.endswith("_kernel") else ():
            objects += compiled(FOLDER / "kernel.cpp", name, [*KERNEL, f"-DBARKHAUSEN_VARIANT={name}", *flags])
        target = Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        self.compiler.link_shared_object(objects, str(target), extra_postargs=["-pthread"], target_lang="c++")


def commit() -> str:
    """Commit of the source: of this repository, or, in an unpacked sdist, the one that the sdist was made from."""
    written = Path(BUILT_FROM)
    if written.is_file():
        return written.read_text(encoding="utf-8").strip()
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        # Without its own .git, git would answer for a repository that this folder merely lies in.
        if not Path(".git").exists():
            return os.environ.get("GITHUB_SHA", "")[:12]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


class BuildPackage(build_py):
    """Writes the commit into what is built; summaries of results name it. An editable installation asks git."""

    def run(self) -> None:
        """Copies the modules, then writes the file."""
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib) / Path(BUILT_FROM).relative_to("src")
            target.write_text(commit() + "\n", encoding="utf-8")


class SourceArchive(sdist):
    """The same for the sdist, which has no repository any more."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Copies the files, then writes the commit."""
        super().make_release_tree(base_dir, files)
        (Path(base_dir) / BUILT_FROM).write_text(commit() + "\n", encoding="utf-8")


class PlatformWheel(bdist_wheel):
    """The library knows nothing of Python: one wheel per platform serves every version."""

    def get_tag(self) -> tuple[str, str, str]:
        """Any Python 3, this platform."""
        return "py3", "none", super().get_tag()[2]


kernel = Extension(
    f"{PACKAGE}._kernel",
    sources=[str(FOLDER / name) for name in ("dispatch.cpp", "kernel.cpp")],
    depends=[str(path) for path in sorted(FOLDER.glob("*.hpp"))],
    language="c++",
    optional=True,
)

scans = [
    Extension(f"{package}.{name}", sources=[source], language="c++", optional=True)
    for name, (package, source) in SCANS.items()
]

options: dict[str, Any] = {
    "build_ext": BuildLibraries,
    "build_py": BuildPackage,
    "bdist_wheel": PlatformWheel,
    "sdist": SourceArchive,
}
unwanted = ["*.cpp", "*.hpp", "cpp/*", ".gitignore"]
setup(
    ext_modules=[kernel, *scans],
    cmdclass=options,
    exclude_package_data=dict.fromkeys((PACKAGE, *(package for package, _ in SCANS.values())), unwanted),
)
