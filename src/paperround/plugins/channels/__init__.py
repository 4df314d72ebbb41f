"""Slack, Discord, Telegram and webhooks."""
