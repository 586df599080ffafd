"""Custody: who answers for every unit, and whether its chain is unbroken."""
