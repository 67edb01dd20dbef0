"""The way from UNCONFIRMED to known: walks the real service, records what it answers, says what is known now."""
