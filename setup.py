"""Builds the compiled libraries: the micromagnetic kernel, compiled once per instruction set and chosen at run time,
and the scan of the margin rule.

Everything else about the package stands in pyproject.toml. Without a compiler the package installs all the same and
uses torch.
"""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

PACKAGE = "barkhausen.micromagnetics.compiled"
FOLDER = Path("src/barkhausen/micromagnetics/compiled")
SCAN_PACKAGE = "barkhausen.learning.compiled"
SCAN_SOURCE = "src/barkhausen/learning/compiled/scan.cpp"

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
    """Compiles kernel.cpp for each variant, and scan.cpp; a failure is a warning."""

    def get_ext_filename(self, fullname: str) -> str:
        """Not an extension module of Python, so named without the ABI of one."""
        if fullname.rpartition(".")[2] in {"_kernel", "_scan"}:
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

        if ext.name.endswith("_scan"):
            objects = compiled(SCAN_SOURCE, "scan", SCAN)
        else:
            objects = compiled(FOLDER / "dispatch.cpp", "dispatch", ["-pthread"])
        for name, flags in variants().items() if ext.name.endswith("_kernel") else ():
            objects += compiled(FOLDER / "kernel.cpp", name, [*KERNEL, f"-DBARKHAUSEN_VARIANT={name}", *flags])
        target = Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        self.compiler.link_shared_object(objects, str(target), extra_postargs=["-pthread"], target_lang="c++")


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

scan = Extension(f"{SCAN_PACKAGE}._scan", sources=[SCAN_SOURCE], language="c++", optional=True)

options: dict[str, Any] = {"build_ext": BuildLibraries, "bdist_wheel": PlatformWheel}
unwanted = ["*.cpp", "*.hpp", ".gitignore"]
setup(
    ext_modules=[kernel, scan],
    cmdclass=options,
    exclude_package_data={PACKAGE: unwanted, SCAN_PACKAGE: unwanted},
)
