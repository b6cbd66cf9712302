"""Tables, migrations, connections and encryption. PostgreSQL only."""
