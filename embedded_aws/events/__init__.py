"""EventBridge: which rules an event meets, what targets get, what becomes of an event that cannot be delivered."""
