"""Imports: regions, counts and catalogue from reference data or a file become commands."""
