"""A forgotten password, from the app's side. Start the server with `serve --dev`, which shows mails at /dev/mail.

python examples/password_reset.py http://127.0.0.1:8080 app "$(cat data/app.api-key)"
"""

import sys
import uuid

from jsonrpc_backend.client import Client
from jsonrpc_backend.errors import InvalidParams


def main(url: str, backend_id: str, api_key: str) -> None:
    username = f"anna-{uuid.uuid4().hex[:8]}@example.com"
    with Client(url, backend_id=backend_id, api_key=api_key) as client:
        client.user.register(username, "forgotten-soon")
        client.user.logout()

        client.user.send_password_reset_token(username)
        print(f"A mail to {username} is on its way; with `serve --dev` it is shown at {url}/dev/mail.")

        while True:
            token = input("Type the code from the mail: ")
            try:
                user = client.user.reset_password_and_login(username, "new-password", token)
                break
            except InvalidParams as error:
                print(*error.data.values())
        print(f"Welcome back, {user.username}. Your new password works, and every other device is signed out.")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"Usage: {sys.argv[0]} URL BACKEND_ID API_KEY")
    main(*sys.argv[1:])
