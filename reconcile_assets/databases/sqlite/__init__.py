"""SQLite files as sides of a comparison."""
