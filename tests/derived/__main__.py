"""`python3 run.py docs`: writes what is made of the program's own statements."""

from tests.derived import derived
from tests.documents import ROOT


def main() -> None:
    for path, text in derived():
        file = ROOT / path
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            print(f"{path} written")


if __name__ == "__main__":
    main()
