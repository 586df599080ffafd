"""The rules of custody: pure, no I/O, no clock."""
