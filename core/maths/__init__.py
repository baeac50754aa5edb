"""What the pages of mathematics compute. Stands alone: it knows nothing of the rest of core."""
