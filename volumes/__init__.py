"""Hearth: volumes on plain Linux storage nodes."""
