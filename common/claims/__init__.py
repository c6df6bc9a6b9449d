"""What papers claim (`schema`), what was measured (`measure`), and the verdicts (`judge`, `ledger`)."""
