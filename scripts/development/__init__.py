"""A real Home Assistant for developers, with a simulated group in it.

``scripts/develop`` runs it; the end-to-end test starts its Home Assistant with the same parts.
"""
