"""Build, plan, publish, render and send digests."""
