"""``python -m providers.gateway FILE``: check a declaration and say what it can do."""

from __future__ import annotations

import sys

from providers.gateway.adapter import capabilities
from providers.gateway.source import BadDeclaration, find


def main(names: list[str]) -> int:
    """Check each; 1 if any cannot be used."""
    status = 0
    for name in names:
        try:
            declaration = find(name)
        except BadDeclaration as error:
            print(error, file=sys.stderr)
            status = 1
        else:
            print(f"{name}: OK  {declaration.title}\n  {capabilities(declaration)}")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
