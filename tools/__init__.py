"""What makes files that the project ships; nothing that ships imports it."""
