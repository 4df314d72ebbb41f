"""Paperround: trending papers in your inbox once a day, from a server of your own."""
