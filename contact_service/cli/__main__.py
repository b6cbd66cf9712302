"""``python -m contact_service.cli``: the command, where its script is not on the path."""

from contact_service.cli import main

main()
