"""The same server fixtures as the end-to-end tests."""
from e2e.conftest import client, server, uri  # noqa: F401
