"""What is cut from the embedded photographs."""

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, label

from common.datasets import composites, embedded, registry, stand_ins
from common.datasets.images import checksum

Splits = dict[str, dict[str, np.ndarray]]


@pytest.fixture(scope="module")
def scenes() -> Splits:
    return {split: registry.load("embedded_scenes", split, None) for split in ("train", "test")}


@pytest.fixture(scope="module")
def pairs() -> Splits:
    return {split: registry.load("embedded_composites", split, None) for split in composites.COMPOSITES.splits}


def test_every_split_has_as_many_images_as_the_registry_says(scenes: Splits, pairs: Splits) -> None:
    names = ("embedded_marine", "embedded_grassland", "embedded_medical")
    loaded = {name: {s: registry.load(name, s, None) for s in registry.describe(name).splits} for name in names}
    for name, splits in {**loaded, "embedded_scenes": scenes, "embedded_composites": pairs}.items():
        assert {split: len(images) for split, images in splits.items()} == registry.describe(name).splits
        for images in splits.values():
            assert all(image.dtype == np.uint8 and image.flags.c_contiguous for image in images.values())


class TestScenes:
    def test_ten_classes_have_200_patches_to_train_and_50_to_test(self, scenes: Splits) -> None:
        for split, count in (("train", 200), ("test", 50)):
            labels = [key.split("/")[0] for key in scenes[split]]
            assert {name: labels.count(name) for name in labels} == dict.fromkeys(stand_ins.SCENES_OF, count)
            assert {patch.shape for patch in scenes[split].values()} == {(64, 64, 3)}

    def test_train_patches_lie_in_the_left_half_and_test_patches_in_the_right(self, scenes: Splits) -> None:
        photographs = registry.load("embedded", "train", None)
        for name in stand_ins.SCENES_OF:
            middle = photographs[name].shape[1] // 2
            halves = {"train": photographs[name][:, :middle], "test": photographs[name][:, middle:]}
            for split, half in halves.items():
                windows = np.lib.stride_tricks.sliding_window_view(half, (64, 64), axis=(0, 1))
                for patch in [patch for key, patch in scenes[split].items() if key.startswith(name)][:5]:
                    alike = np.argwhere((windows[:, :, :, 0, :8] == patch[0, :8].T).all(axis=(2, 3)))
                    assert any((windows[tuple(place)] == patch.transpose(2, 0, 1)).all() for place in alike)

    def test_patches_are_the_same_every_time(self, scenes: Splits) -> None:
        assert checksum(registry.load("embedded_scenes", "test", None)) == checksum(scenes["test"])

    def test_no_id_is_in_both_splits(self, scenes: Splits) -> None:
        assert not set(scenes["train"]) & set(scenes["test"])


class TestComposites:
    @pytest.mark.parametrize("split", composites.COUNTS)
    def test_every_image_has_its_trimap(self, split: str, pairs: Splits) -> None:
        assert list(pairs[split]) == list(pairs[f"{split}_trimaps"])
        assert {image.shape for image in pairs[split].values()} == {(128, 128, 3)}
        assert {trimap.shape for trimap in pairs[f"{split}_trimaps"].values()} == {(128, 128, 1)}

    def test_inside_and_outside_are_the_two_photographs_unblended(self, pairs: Splits) -> None:
        photographs = registry.load("embedded", "test", None)
        for k in range(80):
            shape, ground = composites.draw_pair(photographs, "test", k)
            image, trimap = pairs["test"][f"test_{k:03d}"], pairs["test_trimaps"][f"test_{k:03d}"][:, :, 0]
            np.testing.assert_array_equal(image[trimap == 1], shape[trimap == 1])
            np.testing.assert_array_equal(image[trimap == 2], ground[trimap == 2])
            from_either = (image == shape).all(axis=2) | (image == ground).all(axis=2)
            assert from_either.all()

    @pytest.mark.parametrize("split", composites.COUNTS)
    def test_a_shape_is_one_piece_inside_the_image_with_a_border_4_pixels_wide(self, split: str, pairs: Splits) -> None:
        for trimap in (trimap[:, :, 0] for trimap in pairs[f"{split}_trimaps"].values()):
            assert set(np.unique(trimap)) == {1, 2, 3}
            assert label(trimap == 1)[1] == label(trimap != 2)[1] == 1
            edge = np.concatenate([trimap[0], trimap[-1], trimap[:, 0], trimap[:, -1]])
            assert (edge == 2).all()
            # From the shape to the nearest background: 4 steps along rows and columns over border, and one more. No
            # straight line is longer, and at 45° it is √2 shorter.
            nearest = distance_transform_edt(trimap != 1)[trimap == 2].min()
            assert 5 / np.sqrt(2) <= nearest <= 5
            assert (trimap == 1).mean() > 0.05

    def test_each_split_is_of_its_own_photographs(self, pairs: Splits) -> None:
        for split in composites.COUNTS:
            photographs = registry.load("embedded", split, None)
            shape, ground = composites.draw_pair(photographs, split, 3)
            image, trimap = pairs[split][f"{split}_003"], pairs[f"{split}_trimaps"][f"{split}_003"][:, :, 0]
            np.testing.assert_array_equal(image, np.where((image == shape).all(2, keepdims=True), shape, ground))
            assert (image[trimap == 1] == shape[trimap == 1]).all()

    def test_composites_are_the_same_every_time(self, pairs: Splits) -> None:
        for split in ("val", "val_trimaps"):
            assert checksum(registry.load("embedded_composites", split, None)) == checksum(pairs[split])


class TestDocumentaries:
    def test_marine_tiles_cover_the_held_out_photograph_once(self) -> None:
        tiles = {split: registry.load("embedded_marine", split, None) for split in ("val", "test")}
        assert (len(tiles["val"]), len(tiles["test"])) == (3, 9)
        covered = np.zeros((480, 640), int)
        photograph = embedded.load_nonface(["nonface_51"])["nonface_51"]
        for key, tile in (tiles["val"] | tiles["test"]).items():
            top, left = map(int, key.split("_")[2:])
            covered[top : top + 160, left : left + 160] += 1
            np.testing.assert_array_equal(tile, photograph[top : top + 160, left : left + 160])
        assert (covered == 1).all()
        assert "nonface_51" not in registry.load("embedded_marine", "train", None)

    def test_grassland_photographs_are_in_one_split_each(self) -> None:
        names = [name for part in stand_ins.GRASSLAND_OF.values() for name in part]
        assert sorted(names) == [f"nonface_{number:02d}" for number in (4, 5, 6, 8, 27, 28, 34, 35)]

    @pytest.mark.parametrize("name", ["embedded_marine", "embedded_grassland"])
    def test_their_photographs_are_never_test_photographs_of_embedded(self, name: str) -> None:
        for split in registry.describe(name).splits:
            assert all(key.startswith("nonface_") for key in registry.load(name, split, None))


def test_medical_images_are_colour() -> None:
    images = registry.load("embedded_medical", "test", None)
    assert {key: image.shape for key, image in images.items()} == {
        "cell": (660, 550, 3),
        "ihc": (512, 512, 3),
        "retina": (1411, 1411, 3),
    }
    assert (np.ptp(images["cell"], axis=2) == 0).all()


@pytest.mark.parametrize("name", [name for name in registry.DATASETS if name.startswith("embedded_")])
def test_stand_ins_say_so(name: str) -> None:
    assert name == "embedded_grey" or "stand-in for" in registry.describe(name).notes
