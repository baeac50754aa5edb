"""A run as one PyTorch script that needs nothing of this project: the very functions that ran, and a plain loop.

Imports no torch: the functions are cut out of their files as text.
"""

from collections.abc import Mapping
from typing import Any

from core.source import Place, with_all_they_need
from core.vision.recipe import DATASETS, MODELS, PictureRecipe

# What the loop below calls, besides the data set and the model; what these refer to comes with them.
PARTS: tuple[Place, ...] = (
    ("core.device", "choose_device"),
    ("core.device", "prepare"),
    ("core.device", "autocast"),
    ("core.vision.splits", "splits"),
    ("core.vision.network", "PictureNetwork"),
    ("core.vision.augmentation", "random_move"),
    ("core.vision.augmentation", "random_cutout"),
    ("core.vision.augmentation", "alternating_mirror"),
    ("core.training.optimizers", "make_optimizer"),
    ("core.training.optimizers", "learning_rate_at"),
    ("core.training.batches", "batches_in"),
    ("core.training.batches", "batch_at"),
)

# What a script does without: translated errors, checked recipes, caches, progress.
REPLACED: dict[Place, str] = {
    ("core.errors", "UserError"): '''class UserError(ValueError):
    def __init__(self, message, **values):
        super().__init__(message.format(**values))''',
    ("core.tasks", "Say"): "Say = Callable[[str, float], None]",
    ("core.training.recipe", "Recipe"): "Recipe = SimpleNamespace",
    ("core.vision.recipe", "PictureRecipe"): "PictureRecipe = SimpleNamespace",
    ("core.vision.datasets._downloads", "downloads_folder"): '''def downloads_folder():
    return Path(FOLDER or "data")''',
    ("core.vision.datasets.cifar10", "_part"): '''def _part(train):
    import torchvision

    return torchvision.datasets.CIFAR10(downloads_folder(), train=train, download=True)''',
    ("core.vision.fetching", "Remote"): "Remote = namedtuple('Remote', 'url file checksum')",
    ("core.vision.fetching", "kept"): '''def kept(remote, what):
    from torchvision.datasets.utils import download_url

    download_url(remote.url, remote.file.parent, remote.file.name, remote.checksum.removeprefix("md5:"))
    return remote.file''',
    ("core.vision.datasets.folder", "_pixels"): '''def _pixels(root, entries, size, version, say):
    images, readable = zip(*_decoded(entries, size, say))
    return torch.from_numpy(np.concatenate(images)).permute(0, 3, 1, 2), np.concatenate(readable) != 0''',
    ("core.vision.datasets.shapes", "_pixels"): '''def _pixels(factors, seed, version, say):
    return _drawn(factors, seed, say)''',
    ("core.vision.stored", "StoredPixels"): '''class StoredPixels:
    """Pixels too many for the memory: not in this script."""''',
    # named by the function above, which is not read for what it needs
    ("core.vision.datasets.folder", "_digest"): '''def _digest(root, entries, image_size):
    return ""''',
}
WITH_A_FOLDER = ("folder", "upload")  # both are a folder of pictures


def script(recipe: PictureRecipe, birth: Mapping[str, Any] | None = None) -> str:
    """The script of a recipe. `birth` is the run's last event: its accuracy, its threads, its version of torch."""
    dataset, _colon, argument = recipe.dataset.partition(":")
    own = dataset in WITH_A_FOLDER
    module = f"{DATASETS}.{'folder' if own else dataset.replace('-', '_')}"
    wanted = [(module, "load"), (f"{MODELS}.{recipe.model.replace('-', '_')}", "build"), *PARTS]
    wanted += [(module, "_decoded")] if own else [(module, "_drawn")] if dataset == "shapes" else []
    wanted += [("core.vision.datasets._downloads", "downloads_folder")] if dataset == "cifar10" else []
    body = with_all_they_need(wanted, REPLACED, _IMPORTS)
    values = "\n".join(f"    {name}={value!r}," for name, value in recipe.to_mapping().items())
    given = "FOLDER or sys.exit('Say which folder: python train.py FOLDER')" if dataset == "upload" else (
        f"FOLDER or {argument!r}" if own else repr(argument)
    )  # fmt: skip
    loop = _LOOP.replace("ARGUMENT", given)
    threads = (birth or {}).get("threads")
    if threads:
        loop = loop.replace("# THREADS", f"torch.set_num_threads({threads})  # as in the run: they split the sums")
    return "\n\n".join([_head(own, birth or {}), body, _FOLDER, f"recipe = Recipe(\n{values}\n)", loop])


def _head(own: bool, birth: Mapping[str, Any]) -> str:
    folder = "python train.py FOLDER, one folder for each class in it" if own else "python train.py"
    came_to = ""
    if "test_accuracy" in birth:
        versions = birth.get("versions", {})
        came_to = f"\nThe run came to a test accuracy of {birth['test_accuracy']:.4f} (torch {versions.get('torch')}, "
        came_to += f"{birth.get('device_name')}).\n"
    return f'"""One training run as a plain PyTorch script: {folder}\n{came_to}"""'


_IMPORTS = (
    ("collections", "namedtuple", "namedtuple"),
    ("copy", "", "copy"),
    ("pathlib", "Path", "Path"),
    ("sys", "", "sys"),
    ("torch", "", "torch"),
    ("types", "SimpleNamespace", "SimpleNamespace"),
    ("torch.nn", "functional", "F"),
)
_FOLDER = """
FOLDER = sys.argv[1] if len(sys.argv) > 1 else None  # your pictures; for a data set that is fetched, where it lies
"""
_LOOP = '''
def main():
    # 1. Data
    device = choose_device(recipe.device)
    prepare(device)
    # THREADS
    dataset = load(ARGUMENT, seed=recipe.seed, image_size=recipe.image_size, say=lambda what, share: None)
    train, validation, test = (part.to(device) for part in splits(dataset, recipe))

    # 2. Model and 3. initialisation
    torch.manual_seed(recipe.seed)
    model = PictureNetwork(build(dataset.input_shape, len(dataset.classes)), dataset.input_shape[0])
    model.fit(train)
    model = model.to(device).to(memory_format=torch.channels_last)
    optimizer = make_optimizer(model, recipe)

    @torch.no_grad()
    def evaluate(part):
        """(loss, accuracy) on the pictures of a part."""
        model.eval()
        loss, correct = 0.0, 0
        for images, labels in zip(part.chunks(500), part.labels.split(500)):
            with autocast(device):
                images = images.to(torch.float32, memory_format=torch.channels_last).div_(255)
                logits = model(images)
                if recipe.flip_test:
                    logits = (logits + model(images.flip(3))) / 2
            logits = logits.float()
            loss += F.cross_entropy(logits, labels, reduction="sum").item()
            correct += (logits.argmax(1) == labels).sum().item()
        model.train()
        return loss / len(part), correct / len(part)

    # 4. Training and 5. validation
    order_generator = torch.Generator().manual_seed(recipe.seed)
    variation_generator = torch.Generator(device).manual_seed(recipe.seed + 1)
    steps_per_epoch = batches_in(len(train), recipe.batch_size)
    rate_at = learning_rate_at(recipe, steps_per_epoch * recipe.epochs)
    even = alternating_mirror(len(train), recipe.seed).to(device)
    step, best, best_weights, lowest, stale = 0, -1.0, None, float("inf"), 0
    model.train()
    for epoch in range(recipe.epochs):
        order = torch.randperm(len(train), generator=order_generator)
        for place in range(steps_per_epoch):
            indices = batch_at(order, place, recipe.batch_size).to(device)
            images = train.at(indices)  # (B,C,H,W) bytes
            if recipe.crop or recipe.flip:
                mirrored = (even if epoch % 2 == 0 else ~even).index_select(0, indices)
                flip = mirrored if recipe.flip and recipe.alternating_flip else recipe.flip
                images = random_move(images, recipe.crop, flip, variation_generator)
            if recipe.cutout:
                images = random_cutout(images, recipe.cutout, variation_generator)
            for group in optimizer.param_groups:
                group["lr"] = rate_at(step)
            optimizer.zero_grad(set_to_none=True)
            with autocast(device):
                logits = model(images.div(255))
                labels = train.labels.index_select(0, indices)
                loss = F.cross_entropy(logits.float(), labels, label_smoothing=recipe.label_smoothing)
            loss.backward()
            optimizer.step()
            step += 1
        if not torch.isfinite(loss):
            sys.exit(f"The loss became infinite or undefined in epoch {epoch + 1}: the learning rate is too large.")
        validation_loss, accuracy = evaluate(validation)
        print(f"epoch {epoch + 1}: validation loss {validation_loss:.4f}, accuracy {accuracy:.2%}", flush=True)
        if accuracy > best:
            best = accuracy
            best_weights = copy.deepcopy(model.state_dict())
        stale = 0 if validation_loss < lowest else stale + 1
        lowest = min(lowest, validation_loss)
        if 0 < recipe.early_stopping <= stale:
            break

    # 6. Test, once
    if recipe.keep_best:
        model.load_state_dict(best_weights)
    print(f"test accuracy {evaluate(test)[1]:.4f}")
    torch.save(model.state_dict(), "weights.pt")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")
'''
