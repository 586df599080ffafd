"""Where Kawal runs: this machine (local), containers (docker)."""
