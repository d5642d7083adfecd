"""Python clients of a jsonrpc-backend server: one for asyncio, one that blocks, with the same names.

    from jsonrpc_backend.client import Client
    from jsonrpc_backend.errors import InvalidParams

    with Client("http://localhost:8080", "app", api_key, state_file="account.json") as client:
        try:
            client.user.login("me@example.com", "secret")
        except InvalidParams as error:
            print(error.data)
        client.user.save_properties({"age": 21})
        diary = client.collection("diary")
        diary.insert({"text": "Rain all day.", "mood": 3})
        print(diary.find("mood > ?", [2], order_by="_createdAt DESC", limit=20).items)
        client.call("User.getProperties", names=["age"])  # any method, as the server answers it

`ManagementClient` and `AsyncManagementClient` call the operators' API, by a management key and without signing in.

Whatever goes wrong in a call is a class of `jsonrpc_backend.errors`, all of them `RpcError`: the server's own
errors by their code, and `TimedOut` (-11), `InvalidResponse` (-12), `InvalidStatus` and `ConnectionFailed` (-13)
where there is no answer or not one of such a server.
"""

from .access import HeldUp, SignedIn
from .asynchronous import AsyncClient
from .blocking import Client
from .item import Item, ItemPage, Permission, Rights
from .managed_item import CollectionConfig, ManagedItem, ManagedItemPage
from .management import AsyncManagementClient, ManagementClient
from .user import User
from .user_management import UserPage
from .wire import Notification

__all__ = [
    "AsyncClient",
    "AsyncManagementClient",
    "Client",
    "CollectionConfig",
    "HeldUp",
    "Item",
    "ItemPage",
    "ManagedItem",
    "ManagedItemPage",
    "ManagementClient",
    "Notification",
    "Permission",
    "Rights",
    "SignedIn",
    "User",
    "UserPage",
]
