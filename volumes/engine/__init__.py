"""Runs operations. It knows steps, nodes and outcomes, and no verb by name."""
