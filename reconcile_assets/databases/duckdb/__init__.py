"""DuckDB files, and the Parquet and CSV files that DuckDB reads, as sides of a comparison."""
