"""What the stage of a variant that does not run in this profile leaves behind.

Without torch: a DAG has many such stages, and each would spend its seconds on the import alone.
"""

from pathlib import Path

from common.params import Recipe
from common.store import write_json, write_text


def note_unrun(paper: str, name: str, recipe: Recipe) -> None:
    """An empty folder of weights, a history without rows, and a training record without seeds."""
    results = Path("results") / paper
    (Path("models") / paper / name).mkdir(parents=True, exist_ok=True)
    write_text(results / "history" / f"{name}.csv", "seed,step,images_seen,seconds,lr\n")
    record = {"variant": name, "architecture": None, "experiment": None, "recipe": recipe.model_dump(), "seeds": {}}
    write_json(results / "training" / f"{name}.json", record)
    print(f"  {name}: not run in this profile (no seeds in params.yaml)")
