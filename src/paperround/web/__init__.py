"""The site, self-service, the JSON API and the admin API: handlers ask jobs, templates say it."""
