"""Doctor checks of the DNS records that receivers of mail look up."""
