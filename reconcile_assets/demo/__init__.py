"""The whole story on real data and real databases, each claim read back before it is told."""
