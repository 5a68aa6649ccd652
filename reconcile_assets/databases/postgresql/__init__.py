"""PostgreSQL 13 to 18 through psycopg 3."""
