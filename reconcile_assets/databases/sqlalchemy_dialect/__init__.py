"""Any other database that SQLAlchemy has a dialect for: read row by row, and hashed here."""
