"""A client of Tunedrop's API: start runs, follow them, and fetch what came of them.

from tunedrop_client import Client

client = Client(stack="tunedrop-dev")
run = client.start_folder("my_folder")
print(client.wait(run["run_id"])["progress"])
"""

from tunedrop_client.client import Client
from tunedrop_client.errors import (
    FileRefused,
    NoSuchFile,
    NoSuchPlace,
    Problem,
    StillRunning,
    TunedropError,
    Unreachable,
    ValidationFailed,
)

__version__ = "0.2.0"

__all__ = [
    "Client",
    "FileRefused",
    "NoSuchFile",
    "NoSuchPlace",
    "Problem",
    "StillRunning",
    "TunedropError",
    "Unreachable",
    "ValidationFailed",
]
