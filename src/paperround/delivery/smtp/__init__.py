"""Send email over SMTP: a protocol state machine and the event loop that drives it."""
