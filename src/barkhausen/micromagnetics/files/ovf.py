"""OVF files: everything about them by one name."""

from barkhausen.micromagnetics.files.magnetisation import read_ovf, write_ovf
from barkhausen.micromagnetics.files.ovf_data import OvfData, OvfMesh
from barkhausen.micromagnetics.files.ovf_reader import load_ovf
from barkhausen.micromagnetics.files.ovf_writer import save_ovf
from barkhausen.micromagnetics.files.snapshots import Snapshots

__all__ = ["OvfData", "OvfMesh", "Snapshots", "load_ovf", "read_ovf", "save_ovf", "write_ovf"]
