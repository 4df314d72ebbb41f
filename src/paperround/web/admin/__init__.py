"""The admin pages, for operators who are logged in. They call the same services as the admin
API."""
