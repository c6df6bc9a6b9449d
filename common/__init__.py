"""What the replications share. Threads of this process wait passively, unless the environment says otherwise.

OpenMP's threads spin while they wait for each other, by default. Where a second process computes on the same cores, a
spinning thread takes the core from the one it waits for. OpenMP reads this once, when torch is loaded.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
