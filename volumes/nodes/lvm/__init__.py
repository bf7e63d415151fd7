"""LVM: builders return argv, parsers return frozen dataclasses."""
