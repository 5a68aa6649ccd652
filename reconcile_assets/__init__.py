"""Move history between databases and prove that nothing was lost."""
