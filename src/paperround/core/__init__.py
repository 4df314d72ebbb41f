"""What every package uses: errors, times, languages, ids. The standard library and Babel only."""
