"""Resistive devices: states of an oxide or phase-change memory that are conductances themselves."""
