"""`python -m shared.cli`, installed as `kawal`."""

from shared.cli.app import main

if __name__ == "__main__":
    main()
