"""Ways out that are not a mailbox. Each gets the client it speaks through passed in."""
