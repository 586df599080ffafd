"""The fixtures that every test may use."""

pytest_plugins = ["shared.testing.bus", "shared.testing.fixtures"]
