"""Export of trained networks to formats of other programs."""

from barkhausen.experiment.export.formats import export_csv, export_npz, export_onnx, export_safetensors

__all__ = ["export_csv", "export_npz", "export_onnx", "export_safetensors"]
