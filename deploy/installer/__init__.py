"""Puts a release tree on a node, wires the container managers to it, and takes all of it back."""
