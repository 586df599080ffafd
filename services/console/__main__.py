"""`python -m services.console`: the service in this process, settings from KAWAL_*."""

from services.console.bootstrap import build
from shared.serving import main

if __name__ == "__main__":
    main("console", build)
