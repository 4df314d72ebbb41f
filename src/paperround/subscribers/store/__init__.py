"""Store subscribers, subscriptions and queued requests."""
