"""The rules of inventory, pure: regions, stations, needs, sites, stock, picking, packing."""
