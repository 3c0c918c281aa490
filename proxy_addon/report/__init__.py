"""`allowance report`: attention of an office over some days, from what the ledger holds."""
