"""The admin pages, for operators who logged in. They call the services that the admin API calls."""
