"""What leaves the site to be read by other programs: feeds for readers, files for libraries."""
