"""PostgreSQL and Valkey started from wheels when no server is configured."""
