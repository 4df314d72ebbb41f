"""Jobs for many machines on PostgreSQL."""
