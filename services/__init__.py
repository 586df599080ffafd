"""The services of Kawal; none imports another."""
