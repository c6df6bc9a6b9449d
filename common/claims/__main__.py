"""`python -m common.claims`: the stage that writes results/claims.csv and results/tables/*.csv."""

from common.claims.ledger import main
from common.command import run

if __name__ == "__main__":
    run(main)
