"""The rules of custody, pure: seals, units, consignments, hand-overs, strays, incidents."""
