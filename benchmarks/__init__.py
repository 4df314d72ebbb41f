"""What is fast, as ratios against peers in the same run, for anybody to repeat: `./run bench`."""
