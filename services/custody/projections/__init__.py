"""The read models of custody."""
