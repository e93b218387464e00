"""Clients for servers that come and go."""
from pymilvus import MilvusClient


def connect(uri: str, **more) -> MilvusClient:
    """A client with a connection of its own. MilvusClient alone shares one for each address, and keeps it when the client is closed: when
    a later server gets the port of one that was killed, the new client begins with the old connection, in the back-off that the calls
    after the kill left it in, and its first call fails with `Fail connecting` though the server is up."""
    return MilvusClient(uri, dedicated=True, **more)
