"""Builds and runs storage nodes as QEMU guests, and the console's processes beside them."""
