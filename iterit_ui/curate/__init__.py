"""The Curate screen: settings, and the selection that follows from them."""
