"""`python -m services.inventory`: the service in this process, settings from KAWAL_*."""

from services.inventory.bootstrap import build
from shared.serving import main

if __name__ == "__main__":
    main("inventory", build)
