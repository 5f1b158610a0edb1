"""Inputs that nobody would think of, by the thousand."""
