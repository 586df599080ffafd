"""What inventory reads: its own stations, sites, stock, kits, findings."""
