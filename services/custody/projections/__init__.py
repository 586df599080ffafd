"""What custody reads: registered places (inventory), and its own units, consignments, incidents."""
