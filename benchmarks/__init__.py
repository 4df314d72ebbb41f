"""Benchmarks, as ratios against peers measured in the same run. Run them with `./run bench`."""
