"""GPU memory that training stages and engines will take, from the models' shapes and the config's sizes.

Upper bounds by counting what is held at once; kernels' workspaces and fragmentation come on top (OTHER_GB). Nobody has
compared them with a GPU yet. Does not load models.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import polars as pl

from reasonlite.config.experiment import Config, root_of
from reasonlite.config.settings import VllmEngine

GB = 1e9
OTHER_GB = 3.0  # the driver's context, workspaces of kernels and of collectives
VLLM_SHARE = 0.9  # of a GPU's memory, that vLLM takes by itself
LOGIT_BYTES = 2 + 4 + 4  # bfloat16 logits, their float32 copy, its gradient
RECOMPUTED = 1.5  # of a layer's activations, while it is run again: the gradients of some of them live beside


@dataclass(frozen=True)
class Shape:
    """Sizes of a dense transformer, as its config.json has them; ``weights_gb`` on disk."""

    layers: int
    hidden: int
    intermediate: int
    vocabulary: int
    heads: int
    kv_heads: int
    head_dim: int
    tied: bool
    attention_bias: bool
    qk_norm: bool
    weights_gb: float

    @property
    def parameters(self) -> int:
        """Counted matrix by matrix: embeddings, attention, gated feed-forward part, norms."""
        query, key = self.heads * self.head_dim, self.kv_heads * self.head_dim
        attention = self.hidden * (2 * query + 2 * key)
        biases = query + 2 * key if self.attention_bias else 0
        norms = 2 * self.hidden + (2 * self.head_dim if self.qk_norm else 0)
        layer = attention + biases + 3 * self.hidden * self.intermediate + norms
        embeddings = self.vocabulary * self.hidden * (1 if self.tied else 2)
        return embeddings + self.layers * layer + self.hidden

    @property
    def cache_bytes(self) -> int:
        """Of one token's keys and values in bfloat16."""
        return 2 * self.layers * self.kv_heads * self.head_dim * 2


def shapes(path: Path) -> dict[str, Shape]:
    """Known shapes by repository (csv: config/published/architectures.csv); what a row leaves out is 0."""
    rows = pl.read_csv(path).iter_rows(named=True)
    names = [field.name for field in fields(Shape)]
    found: dict[str, list[Any]] = {row["repo"]: [row[name] or False for name in names] for row in rows}
    return {repo: Shape(*values) for repo, values in found.items()}


def shape_of(model: Any, known: dict[str, Shape]) -> Shape | None:
    """The shape of a model of the config: of the hub by its name, of a local folder by its config.json."""
    if model.kind == "hub":
        return known.get(model.repo)
    if model.kind != "local" or not (model.path / "config.json").is_file():
        return None
    raw = json.loads((model.path / "config.json").read_text(encoding="utf-8"))
    if not {"num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads"} <= raw.keys():
        return None
    heads = raw["num_attention_heads"]
    return Shape(
        layers=raw["num_hidden_layers"],
        hidden=raw["hidden_size"],
        intermediate=raw["intermediate_size"],
        vocabulary=raw["vocab_size"],
        heads=heads,
        kv_heads=raw.get("num_key_value_heads") or heads,
        head_dim=raw.get("head_dim") or raw["hidden_size"] // heads,
        tied=bool(raw.get("tie_word_embeddings")),
        attention_bias=raw.get("model_type") == "qwen2",
        qk_norm=raw.get("model_type") == "qwen3",
        weights_gb=sum(file.stat().st_size for file in model.path.glob("*.safetensors")) / GB,
    )


def training(shape: Shape, arguments: dict[str, Any], ranks: int) -> dict[str, float]:
    """GB of one rank under ZeRO stage 1 in bfloat16, by what takes them.

    ``arguments``: TRL's, of which batch, max_length, gradient_checkpointing, packing, attention and
    label_smoothing_factor count. TRL 1.16 computes the loss in tiles, without logits of the whole batch, unless it
    has to smooth labels (its add_fused_lm_head).
    """
    joined = bool(arguments.get("packing") or arguments.get("padding_free"))
    rows = int(arguments.get("per_device_train_batch_size", 8))
    length = int(arguments.get("max_length") or 1024)
    tokens = rows * length
    query, key = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    layer = tokens * 2 * (4 * shape.hidden + 2 * query + 2 * key + 3 * shape.intermediate) * RECOMPUTED
    kept = tokens * shape.hidden * 2
    checkpointed = bool(arguments.get("gradient_checkpointing", True))  # TRL's default
    activations = shape.layers * kept + layer if checkpointed else shape.layers * layer
    whole = bool(arguments.get("label_smoothing_factor"))
    return {
        "weights and gradients": shape.parameters * 4 / GB,
        "optimizer": shape.parameters * 12 / ranks / GB,
        "activations": activations / GB,
        "logits": tokens * shape.vocabulary * LOGIT_BYTES / GB if whole else 0.0,
        # TRL joins the rows of a packed batch into one, in which sdpa hides examples from each other by a table
        "mask of packed examples": tokens**2 / GB if joined and not _flash(arguments) else 0.0,
        "other": OTHER_GB,
    }


def _flash(arguments: dict[str, Any]) -> bool:
    return "flash" in str((arguments.get("model_init_kwargs") or {}).get("attn_implementation", ""))


def engine(shape: Shape, settings: VllmEngine) -> dict[str, float]:
    """GB of one GPU that an engine cannot do without: weights, and keys and values of one text of full length."""
    gpus = settings.tensor_parallel_size
    cache = shape.cache_bytes * settings.max_model_len / GB / gpus
    return {"weights": shape.weights_gb / gpus, "keys and values of one text": cache, "other": OTHER_GB}


def of_config(config: Config, known: dict[str, Shape], ranks: int) -> list[tuple[str, dict[str, float], float]]:
    """What each sft stage and engine takes, by name, and the share of a GPU's memory that it may use."""
    found = []
    for stage in config.stages:
        shape = shape_of(config.models[root_of(config, stage)], known)
        if shape is not None and stage.method == "sft" and stage.lora is None:
            found.append((f"train {stage.name}", training(shape, stage.arguments, ranks), 1.0))
    engines: dict[str, tuple[str, Any]] = {}
    for effort in config.teacher.efforts:
        asked = config.teacher.asked(effort)
        if asked not in engines.values():  # of one teacher's efforts one is enough
            engines[f"generate_answers {effort}" if engines else "generate_answers"] = asked
    engines |= {
        f"evaluate_answers {each.model}": (each.weights, config.evaluation.engine)
        for each in config.evaluation.models
        if each.recorded is None
    }
    engines |= {
        f"draw_probe {name}": (probe.model, probe.engine or config.evaluation.engine)
        for name, probe in config.probes.items()
        if probe.model is not None
    }
    for name, (model, settings) in engines.items():
        shape = shape_of(config.models[model], known) if model in config.models else None
        if shape is not None and isinstance(settings, VllmEngine):
            found.append((name, engine(shape, settings), VLLM_SHARE))
    return found


def lines(found: list[tuple[str, dict[str, float], float]], gpu_gb: float) -> tuple[list[str], list[str]]:
    """Text for each, those alike together, and complaints about what cannot fit into a GPU of ``gpu_gb``."""
    alike: dict[str, list[str]] = {}
    complaints = []
    for name, parts, share in found:
        total = sum(parts.values())
        said = ", ".join(f"{part} {gigabytes:.1f}" for part, gigabytes in parts.items() if gigabytes >= 0.05)
        alike.setdefault(f"{total:.0f} GB ({said})", []).append(name)
        if total > share * gpu_gb:
            largest = max(parts, key=lambda part: parts[part])
            what = f"{name} takes {total:.0f} GB of a GPU of {gpu_gb:.0f}, most of it {largest}"
            complaints.append(f"{what}\n  what to do: {TODO[largest]}")
    more = {text: f" and {len(names) - 1} more" if len(names) > 1 else "" for text, names in alike.items()}
    return [f"  {names[0]}{more[text]}: {text}" for text, names in alike.items()], complaints


TODO = {
    "activations": "gradient_checkpointing: true, or a smaller batch with gradient_accumulation_steps",
    "logits": "label_smoothing_factor: 0, or a smaller per_device_train_batch_size",
    "mask of packed examples": "attn_implementation: flash_attention_2 under model_init_kwargs, packing: false, or"
    " per_device_train_batch_size: 1",
    "weights and gradients": "envs/accelerate/fsdp2.yaml, or lora",
    "optimizer": "more GPUs, or lora",
    "weights": "tensor_parallel_size",
    "keys and values of one text": "a smaller max_model_len, or tensor_parallel_size",
    "other": "a larger GPU",
}
