"""Inventory: what exists, where, is it enough: items, needs, sites, stock, packing."""
