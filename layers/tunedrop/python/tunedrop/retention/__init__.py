"""How long what ended runs leave behind is kept, and how it is deleted: announced first, one thing at a time."""
