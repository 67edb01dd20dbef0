"""REST APIs, as SAM writes them."""
