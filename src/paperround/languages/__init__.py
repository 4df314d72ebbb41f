"""What mails and pages say in each language: catalogues, and numbers and dates by CLDR."""
