"""MariaDB 10.6 and later, and MySQL 8: the dialect contract, through PyMySQL."""
