"""A user's whole life, through the Python client: sign up, properties, sign in again, a new password, good-bye.

python examples/quickstart.py http://127.0.0.1:8080 app "$(cat data/app.api-key)"
"""

import sys
import uuid

from jsonrpc_backend.client import Client
from jsonrpc_backend.errors import InvalidParams, LoginRequired


def main(url: str, backend_id: str, api_key: str) -> None:
    username = f"anna-{uuid.uuid4().hex[:8]}@example.com"
    with Client(url, backend_id=backend_id, api_key=api_key) as client:
        user = client.user.register(username, "secret", {"age": 21})
        print(f"Welcome, {user.username}! You are {user.properties['age']} years old.")

        client.user.save_properties({"nickname": "Anna", "tags": ["python", "json"]})
        print("Your properties:", client.user.get_properties())

        try:
            client.user.register(username, "x")
        except InvalidParams as error:
            for name, sentence in error.data.items():
                print(f"Refused, {name}: {sentence}")

        # What an app does when it starts again: no password needed.
        client.user.auto_login()
        print("Signed in automatically:", client.user.is_authenticated())

        client.user.update_password("secret", "better-secret")
        client.user.logout()
        try:
            client.user.get_property("nickname")
        except LoginRequired as error:
            print(f"After signing out: {error}")

        client.user.login(username, "better-secret")
        nickname, everything = client.batch([("User.getProperty", {"name": "nickname"}), ("User.getProperties", None)])
        print("Two calls in one request:", nickname["value"], everything["properties"])

        client.user.unregister("better-secret")
        print(f"Good-bye, {username}.")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"Usage: {sys.argv[0]} URL BACKEND_ID API_KEY")
    main(*sys.argv[1:])
