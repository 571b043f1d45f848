"""What several screens do with samples: one in full, pages of them, filters, marks."""
