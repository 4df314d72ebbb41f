"""Pages where a reader imports a library or rates papers, so that digests begin to fit them."""
