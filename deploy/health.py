"""`python -m deploy.health`: exit 0 if the service of this container is ready."""

import http.client
import os
import sys


def ready(port: int) -> bool:
    """Whether what listens on this port of ours says that it is ready."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if ready(int(os.environ.get("KAWAL_PORT", "8000"))) else 1)
