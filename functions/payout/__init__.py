"""Money: what is earned, released, paid out and settled."""
