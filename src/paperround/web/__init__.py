"""The site, self-service pages, the JSON API and the admin API, on FastAPI."""
