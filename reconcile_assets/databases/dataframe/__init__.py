"""pandas DataFrames as sides of a comparison."""
