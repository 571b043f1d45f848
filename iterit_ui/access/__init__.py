"""Who may see the app and who may change something in it: names, roles, and what is refused before the page sees it."""
