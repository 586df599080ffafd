"""The rules of inventory, pure: no I/O, no clock, no random; time and ids come in as arguments."""
