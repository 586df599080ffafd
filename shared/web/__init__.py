"""The HTTP face that every service has: errors, identity, commands, queries, health."""
