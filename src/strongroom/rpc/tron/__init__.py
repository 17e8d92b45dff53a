"""Sources for Tron networks."""
