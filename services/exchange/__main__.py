"""`python -m services.exchange`: the service in this process, settings from KAWAL_*."""

from services.exchange.bootstrap import build
from shared.serving import main

if __name__ == "__main__":
    main("exchange", build)
