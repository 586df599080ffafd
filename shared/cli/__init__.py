"""The `kawal` command: every package with a module `cli` adds its commands to it."""
