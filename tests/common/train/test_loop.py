import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from common.errors import UserError
from common.noise.sensor import Gaussian
from common.params import SGD, Adam, Constant, OneCycle, Recipe, Steps
from common.score.evaluation import as_denoiser, validation
from common.score.machine import cpu_threads
from common.score.scale import Scale
from common.store import load_arrays
from common.train.loop import READ_EVERY, NotFiniteLossError, Trained, evaluate_mode, fit
from common.train.patches import Batch, Labelled, Patches
from common.train.seeding import seeded
from common.train.turns import Loss, Player, supervised, supervised_at

RECIPE = Recipe(
    steps=12,
    batch=4,
    crop=16,
    optimizer=Adam(name="adam", betas=[0.9, 0.999], weight_decay=0.0),
    lr=0.01,
    schedule=OneCycle(name="one_cycle"),
    precision="fp32",
    validate_every=4,
)
RNG = np.random.default_rng(0)
IMAGES = {f"image{index}": RNG.integers(0, 256, (40, 32, 3)).astype(np.uint8) for index in range(3)}


PLAIN = SGD(name="sgd", momentum=0.9, weight_decay=0.0)


def unwatched(network: nn.Module) -> dict[str, float]:
    """A validation that measures nothing."""
    return {"val_psnr_db": 0.0}


class Small(nn.Module):
    """A residual denoiser without batch norm, so that shares of a batch do not see each other."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 3, 3, padding=1))

    def forward(self, noisy: torch.Tensor) -> torch.Tensor:
        return noisy + self.layers(noisy)


def batches(seed: int = 0, recipe: Recipe = RECIPE) -> Patches:
    return Patches(IMAGES, Gaussian(30.0), batch=recipe.batch, crop=recipe.crop, seed=seed)


def train(recipe: Recipe = RECIPE, seed: int = 0, scratch: Path | None = None, until: int | None = None) -> Trained:
    """Train; with `until`, break off (as a kill would) when that step's batch is asked for."""
    patches = batches(seed, recipe)

    def draw(step: int) -> Batch:
        if step == until:
            raise KeyboardInterrupt
        return patches(step)

    return fit(Small, draw, recipe, seed=seed, validate=unwatched, scratch=scratch)


def weights(trained: Trained) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in trained.network.state_dict().items()}


def assert_same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    for name in one:
        assert torch.equal(one[name], other[name]), name


def test_same_arguments_give_bit_identical_weights_and_history() -> None:
    first, second = train(), train()
    assert_same(weights(first), weights(second))
    assert first.history.drop(columns="seconds").equals(second.history.drop(columns="seconds"))


def test_another_seed_gives_other_weights() -> None:
    assert not torch.equal(weights(train())["layers.0.weight"], weights(train(seed=1))["layers.0.weight"])


def test_training_leaves_torchs_global_random_numbers_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    train()
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.long
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"optimizer": PLAIN, "schedule": Steps(name="step", every=3, gamma=0.5, lowest=0.0)},
        {"schedule": Constant(name="constant")},
        {"optimizer": Adam(name="adam", betas=[0.5, 0.9], weight_decay=0.01)},
    ],
)
def test_a_resumed_training_ends_in_the_weights_of_an_unbroken_one(tmp_path: Path, change: dict[str, object]) -> None:
    recipe = RECIPE.model_copy(update=change)
    scratch = tmp_path / "checkpoint.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train(recipe, scratch=scratch, until=9)
    resumed, unbroken = train(recipe, scratch=scratch), train(recipe)
    assert_same(weights(resumed), weights(unbroken))
    assert resumed.history.drop(columns="seconds").equals(unbroken.history.drop(columns="seconds"))


def test_training_beats_the_noisy_input() -> None:
    recipe = RECIPE.model_copy(update={"steps": 150, "validate_every": 150})
    smooth = {"ramp": np.tile(np.arange(64, dtype=np.uint8)[:, None, None] * 3, (1, 64, 3))}
    patches = Patches(smooth, Gaussian(30.0), batch=4, crop=16, seed=0)
    trained = fit(Small, patches, recipe, seed=0, validate=unwatched)
    noise = (30 / 127.5) ** 2  # mean squared error of the noisy input in [-1, 1]
    assert trained.history["train_loss"].iloc[-1] < noise


def test_a_loss_that_is_not_finite_stops_with_one_line_that_names_the_fix() -> None:
    with pytest.raises(
        NotFiniteLossError, match=r"the train loss is (nan|inf) at step \d+ .*lower train.recipe.lr"
    ) as error:
        train(RECIPE.model_copy(update={"optimizer": PLAIN, "lr": 1e20, "schedule": Constant(name="constant")}))
    assert "\n" not in str(error.value)


def test_losses_read_now_and_then_name_the_same_step_as_those_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def poisoned(network: nn.Module, inputs: torch.Tensor, targets: torch.Tensor, step: int) -> torch.Tensor:
        return nn.functional.mse_loss(network(inputs), targets) / float(step != 6)

    said = []
    for every in (1, 4, 100):
        monkeypatch.setitem(READ_EVERY, "cpu", every)
        with pytest.raises(NotFiniteLossError, match="the train loss is inf at step 7 ") as error:
            fit(Small, batches(), RECIPE, seed=0, validate=unwatched, players=(Player(poisoned),))
        said.append(str(error.value))
    assert len(set(said)) == 1


def test_how_often_losses_are_read_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = train()
    monkeypatch.setitem(READ_EVERY, "cpu", 100)
    later = train()
    assert_same(weights(at_once), weights(later))
    assert at_once.history.drop(columns="seconds").equals(later.history.drop(columns="seconds"))


def test_history_has_a_row_per_validation_and_one_for_the_last_step() -> None:
    history = train(RECIPE.model_copy(update={"steps": 10})).history
    assert list(history["step"]) == [4, 8, 10]
    assert list(history["images_seen"]) == [16, 32, 40]


def test_a_schedule_starts_and_ends_where_its_name_says() -> None:
    constant = train(RECIPE.model_copy(update={"schedule": Constant(name="constant")})).history["lr"]
    assert set(constant) == {0.01}
    for lowest, last in ((0.0, 0.0001), (0.0005, 0.0005)):
        schedule = Steps(name="step", every=4, gamma=0.1, lowest=lowest)
        stepped = train(RECIPE.model_copy(update={"schedule": schedule})).history["lr"]
        assert list(stepped) == pytest.approx([0.01, 0.001, last])


def test_scale_maps_0_and_255_to_the_networks_range_and_back() -> None:
    images = np.array([0.0, 127.5, 255.0, 300.0], np.float32).reshape(1, 2, 2, 1)
    tensor = Scale(-1, 1).to_network(images)
    assert tensor.flatten().tolist() == pytest.approx([-1, 0, 1, 300 / 127.5 - 1])
    np.testing.assert_allclose(Scale(-1, 1).to_image(tensor), images, rtol=1e-6)


def test_bf16_trains_too() -> None:
    assert np.isfinite(train(RECIPE.model_copy(update={"precision": "bf16"})).history["train_loss"]).all()


TRAIN_SCRIPT = """
import os, sys, time
from pathlib import Path
from tests.common.train.test_loop import RECIPE, batches, Small, unwatched
from common.store import save_arrays
from common.train import loop
from common.train.loop import fit
import torch
loop.CHECKPOINT_SECONDS = 0.0
torch.set_num_threads(1)
recipe = RECIPE.model_copy(update={"steps": 40})
patches = batches(recipe=recipe)
def draw(step):
    time.sleep(float(sys.argv[3]))
    return patches(step)
scratch = Path(sys.argv[2]) if sys.argv[2] else None
trained = fit(Small, draw, recipe, seed=0, validate=unwatched, scratch=scratch)
if os.environ.get("RANK", "0") == "0":
    save_arrays(sys.argv[1], {key: value.numpy() for key, value in trained.network.state_dict().items()})
if torch.distributed.is_initialized():
    torch.distributed.destroy_process_group()
"""


def in_a_process(*arguments: object) -> list[str]:
    """Command that trains 40 steps: where the weights go, the checkpoint or "", seconds a batch takes."""
    return [sys.executable, "-c", TRAIN_SCRIPT, *map(str, arguments)]


def train_here(scratch: Path | None = None) -> dict[str, torch.Tensor]:
    """Weights of the same training in this process."""
    with cpu_threads(1):
        return weights(train(RECIPE.model_copy(update={"steps": 40}), scratch=scratch))


@pytest.mark.long
def test_a_training_killed_outright_resumes_to_the_weights_of_an_unbroken_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scratch, unreached = tmp_path / "checkpoint.safetensors", tmp_path / "unreached.safetensors"
    slow = subprocess.Popen(in_a_process(unreached, scratch, 0.1))
    deadline = time.monotonic() + 60
    while not scratch.is_file() and time.monotonic() < deadline:
        time.sleep(0.02)
    slow.send_signal(signal.SIGKILL)
    assert slow.wait() == -signal.SIGKILL
    assert not unreached.exists()
    resumed = train_here(scratch)
    assert "resumed at step" in capsys.readouterr().out
    assert_same(resumed, train_here())


@pytest.mark.long
def test_two_processes_learn_what_one_does_at_the_same_global_batch(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(TRAIN_SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), "OMP_NUM_THREADS": "1"}
    two = tmp_path / "two.safetensors"
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    subprocess.run([*launch, script, two, "", "0"], env=environment, check=True, capture_output=True)
    shared = load_arrays(two)
    for name, alone in train_here().items():
        # Sums in another order: float32 rounding, grown over 40 steps of Adam.
        np.testing.assert_allclose(shared[name], alone, rtol=1e-3, atol=1e-4, err_msg=name)


class Pair(nn.Module):
    """Two parts for two players."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Small(), Small()

    def forward(self, noisy: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = self.second(self.first(noisy))
        return output


def distance(network: nn.Module, inputs: torch.Tensor, targets: torch.Tensor, step: int) -> torch.Tensor:
    return nn.functional.mse_loss(network(inputs), targets)


FIRST = Player(distance, "first", part=lambda pair: pair.first, updates=2, lr_factor=0.5)
SECOND = Player(distance, "second", part=lambda pair: pair.second)


def play(*players: Player, scratch: Path | None = None, until: int | None = None) -> Trained:
    patches = batches()

    def draw(number: int) -> Batch:
        if number == until:
            raise KeyboardInterrupt
        return patches(number)

    return fit(Pair, draw, RECIPE, seed=0, validate=unwatched, players=players, scratch=scratch)


@pytest.mark.long
def test_a_player_moves_its_own_part_alone() -> None:
    with seeded(0):
        untrained = Pair().state_dict()
    trained = weights(play(FIRST))
    for name, value in untrained.items():
        assert torch.equal(trained[name], value) == name.startswith("second"), name


@pytest.mark.long
def test_players_take_turns_with_a_loss_a_rate_and_updates_of_their_own() -> None:
    trained = play(FIRST, SECOND)
    assert list(trained.history.columns[4:7]) == ["first_loss", "second_loss", "val_psnr_db"]
    assert trained.history["images_seen"].iloc[-1] == 2 * RECIPE.steps * RECIPE.batch
    assert trained.history["lr"].max() < 0.5 * RECIPE.lr + 1e-9
    assert all(weight.requires_grad for weight in trained.network.parameters())


def test_a_network_that_was_validated_can_be_trained_on() -> None:
    # The layout of a 1×1 convolution of one channel is ambiguous, so that it is laid out anew at every validation.
    clean = {"image0": IMAGES["image0"]}
    network = nn.Sequential(nn.Conv2d(3, 1, 3, padding=1), nn.Conv2d(1, 3, 1))
    with torch.inference_mode():
        validation({"image0": IMAGES["image0"].astype(np.float32)}, clean)(network)
    assert not any(weight.is_inference() for weight in network.parameters())


@pytest.mark.long
def test_resumed_players_end_in_the_weights_of_unbroken_ones(tmp_path: Path) -> None:
    scratch = tmp_path / "checkpoint.safetensors"
    with pytest.raises(KeyboardInterrupt):
        play(FIRST, SECOND, scratch=scratch, until=9)
    assert_same(weights(play(FIRST, SECOND, scratch=scratch)), weights(play(FIRST, SECOND)))


@pytest.mark.long
def test_dropout_of_a_resumed_training_is_that_of_an_unbroken_one(tmp_path: Path) -> None:
    scratch = tmp_path / "checkpoint.safetensors"

    def build() -> nn.Module:
        return nn.Sequential(nn.Dropout2d(0.5), Small())

    def run(scratch: Path | None, until: int | None) -> Trained:
        def draw(step: int) -> Batch:
            if step == until:
                raise KeyboardInterrupt
            return batches()(step)

        return fit(build, draw, RECIPE, seed=0, validate=unwatched, scratch=scratch)

    with pytest.raises(KeyboardInterrupt):
        run(scratch, until=7)
    assert_same(weights(run(scratch, None)), weights(run(None, None)))


def test_a_loss_may_change_over_training() -> None:
    factors: list[float] = []

    def loss_at(step: int) -> Loss:
        factors.append(float(step))
        return nn.functional.l1_loss if step < 6 else nn.functional.mse_loss

    trained = fit(Small, batches(), RECIPE, seed=0, validate=unwatched, players=(supervised_at(loss_at),))
    assert factors == list(range(RECIPE.steps))
    assert not torch.equal(trained.network.state_dict()["layers.0.weight"], weights(train())["layers.0.weight"])


def test_labels_reach_the_loss_as_they_are() -> None:
    images = RNG.integers(0, 256, (6, 16, 16, 3)).astype(np.uint8)
    classes = np.array([0, 1, 2, 0, 1, 2])
    seen: list[torch.Tensor] = []

    def objective(network: nn.Module, inputs: torch.Tensor, targets: torch.Tensor, step: int) -> torch.Tensor:
        seen.append(targets)
        return nn.functional.cross_entropy(network(inputs).mean(dim=(2, 3)), targets)

    labelled = Labelled(images, classes, batch=4, seed=0)
    fit(Small, labelled, RECIPE, seed=0, validate=unwatched, players=(Player(objective),))
    assert torch.equal(seen[5], torch.from_numpy(labelled(5).targets))


def test_a_batch_that_cannot_be_shared_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accelerate.Accelerator.num_processes", property(lambda self: 3))
    with pytest.raises(UserError, match="a batch of 4 cannot be shared by 3 processes"):
        train()


def test_no_metric_is_computed_in_tf32() -> None:
    allowed: list[bool] = []

    class Watched(Small):
        def forward(self, noisy: torch.Tensor) -> torch.Tensor:
            backends = torch.backends.cudnn, torch.backends.cuda.matmul
            allowed.extend(backend.allow_tf32 for backend in backends)
            return super().forward(noisy)

    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    noisy = {"image0": IMAGES["image0"].astype(np.float32)}
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
    try:
        as_denoiser(Watched())(noisy["image0"])
        evaluate_mode(Watched(), lambda network: {"sum": float(network(torch.zeros(1, 3, 8, 8)).sum())})
        fit(Watched, batches(), RECIPE, seed=0, validate=validation(noisy, {"image0": IMAGES["image0"]}))
        assert torch.backends.cudnn.allow_tf32
        assert torch.backends.cuda.matmul.allow_tf32
    finally:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before
    assert len(allowed) == 2 * (2 + RECIPE.steps + RECIPE.steps // RECIPE.validate_every)
    assert not any(allowed)


def test_training_leaves_cudnn_switched_on() -> None:
    """`torch.backends.cudnn.flags` switches it off unless it is told otherwise."""
    seen: list[tuple[bool, bool, bool]] = []

    def watched(network: nn.Module, inputs: torch.Tensor, targets: torch.Tensor, step: int) -> torch.Tensor:
        cudnn = torch.backends.cudnn
        seen.append((cudnn.enabled, cudnn.deterministic, cudnn.benchmark))
        return distance(network, inputs, targets, step)

    fit(Small, batches(), RECIPE, seed=0, validate=unwatched, players=(Player(watched),))
    assert set(seen) == {(True, True, False)}


NEEDS_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA graphs need a GPU")


class Normed(Small):
    """With batch norm and dropout: statistics and random numbers of the device."""

    def __init__(self) -> None:
        super().__init__()
        self.layers.insert(1, nn.BatchNorm2d(8))
        self.layers.insert(2, nn.Dropout2d(0.2))


@NEEDS_GPU
@pytest.mark.parametrize("build", [Small, Normed])
def test_recorded_updates_are_those_made_one_by_one(build: type[nn.Module]) -> None:
    player = supervised()
    recorded, eager = (
        fit(build, batches(), RECIPE, seed=0, validate=unwatched, players=(replace(player, steady=steady),))
        for steady in (True, False)
    )
    assert (recorded.facts["passes"], eager.facts["passes"]) == ("CUDA graph", "eager")
    assert_same(weights(recorded), weights(eager))
    assert recorded.history.drop(columns="seconds").equals(eager.history.drop(columns="seconds"))


@NEEDS_GPU
def test_a_resumed_recording_ends_in_the_weights_of_an_unbroken_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(READ_EVERY, "cuda", 1)
    scratch = tmp_path / "checkpoint.safetensors"

    def run(scratch: Path | None, until: int | None) -> Trained:
        def draw(step: int) -> Batch:
            if step == until:
                raise KeyboardInterrupt
            return batches()(step)

        return fit(Normed, draw, RECIPE, seed=0, validate=unwatched, scratch=scratch)

    with pytest.raises(KeyboardInterrupt):
        run(scratch, 9)
    assert_same(weights(run(scratch, None)), weights(run(None, None)))
