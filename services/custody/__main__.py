"""The custody service's program: `python -m services.custody`, settings in KAWAL_*."""

from services.custody.bootstrap import build
from shared.serving import main

if __name__ == "__main__":
    main("custody", build)
