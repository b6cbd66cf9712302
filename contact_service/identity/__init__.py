"""Who may come in: accounts, passwords, second factors, sessions."""
