"""The custody service's program: `python -m services.custody`, settings in KAWAL_*."""

from services.custody.bootstrap import build
from shared.serving import main

main("custody", build)
