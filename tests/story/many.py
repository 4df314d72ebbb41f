"""Settings of many machines."""

NAMED = {
    "SECRET_KEY": "only-for-this-test-and-long-enough-for-it",
    "OPERATOR": "A test",
    "CONTACT": "keeper@example.org",
    "POSTAL_ADDRESS": "1 Paper Street, Pressburg",
    "MAIL_FROM": "Papers <digest@papers.example.org>",
    "SMTP_CONNECTIONS": "3",
}
