"""Which arguments a trainer takes, read from TRL's source without importing it (or torch)."""

from __future__ import annotations

import difflib
import functools
from typing import Any

from reasonlite.core.errors import UserError
from reasonlite.core.installed import declared

# the configuration class of each method, its file, and the classes it extends
BASES = [("trl", "trainer/base_config.py", "_BaseConfig"), ("transformers", "training_args.py", "TrainingArguments")]
CLASSES = {
    "sft": [("trl", "trainer/sft_config.py", "SFTConfig"), *BASES],
    "distill": [("trl", "trainer/distillation_config.py", "DistillationConfig"), *BASES],
    "served": [
        ("trl", "experimental/server_distillation/server_distillation_config.py", "ServerDistillationConfig"),
        ("trl", "trainer/distillation_config.py", "DistillationConfig"),
        *BASES,
    ],
    "gold": [
        ("trl", "experimental/gold/gold_config.py", "GOLDConfig"),
        ("trl", "trainer/sft_config.py", "SFTConfig"),
        *BASES,
    ],
    "grpo": [("trl", "trainer/grpo_config.py", "GRPOConfig"), *BASES],
}
# set by the workflow itself
RESERVED = {
    "teacher_model_server_url",
    *("output_dir", "seed", "data_seed", "use_cpu", "dataset_text_field"),
    *("run_name", "project", "trackio_static_space_id"),
    *("teacher_model_name_or_path", "teacher_model_revision", "reward_weights", "dataset_kwargs"),
}
# of gold, what the stage itself says
GOLD = {"use_uld_loss", "teacher_tokenizer_name_or_path", "teacher_model_init_kwargs", "packing", "seq_kd"}
# of all methods
SHOWN = "set the resource report_to of the rule train, in a profile or by --set-resources train:report_to=trackio"
# of SFT, what would change tokens or cut them while training: examples are tokens already, and whole
ELSEWHERE = {
    "assistant_only_loss": "use completion_only_loss, which is the same for one question and its answer",
    "chat_template_path": "put the template into the start model's folder",
    "truncation_mode": "nothing is ever cut: set too_long",
}


def trainer_of(stage: Any) -> str:
    """The key of CLASSES for a stage of the config: its method, but for a teacher behind a server."""
    return "served" if getattr(stage, "served", False) else str(stage.method)


def check_arguments(method: str, arguments: dict[str, Any], where: str) -> None:
    """Refuse an argument that the installed trainer does not know; silent where TRL is not installed."""
    known = _known(method)
    if known is None:
        return
    if method == "sft" and arguments.get("packing") and arguments.get("max_length", 1) is None:
        raise UserError("is needed with packing", where=f"{where}.max_length", todo="give the tokens of a row")
    if method == "sft" and arguments.get("packing") and arguments.get("packing_strategy", "bfd") != "bfd":
        todo = "leave it out: whole examples are packed, as bfd does"
        raise UserError("cuts examples", where=f"{where}.packing_strategy", todo=todo)
    for name in arguments:
        if name in RESERVED or (method == "gold" and name in GOLD):
            raise UserError("is set by the workflow", where=f"{where}.{name}", todo="remove the key")
        if name == "report_to":
            raise UserError("is no part of the experiment", where=f"{where}.{name}", todo=SHOWN)
        if method == "sft" and name in ELSEWHERE:
            raise UserError("is not taken here", where=f"{where}.{name}", todo=ELSEWHERE[name])
        if name not in known:
            close = difflib.get_close_matches(name, known, 3)
            names = f"see TRL's {CLASSES[method][0][2]} for the names"
            hint = f"did you mean {' or '.join(close)}?" if close else names
            raise UserError(f"the trainer for {method} has no such argument", where=f"{where}.{name}", todo=hint)


@functools.cache
def _known(method: str) -> frozenset[str] | None:
    names: set[str] = set()
    for package, file, class_name in CLASSES[method]:
        found = declared(package, file, class_name)
        if found is None:
            return None
        names |= found
    return frozenset(names)
