"""Feeds: polling, schedules, health, and turning their records into papers."""
