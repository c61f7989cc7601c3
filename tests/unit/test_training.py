"""Trainer arguments and checkpoints in progress; training itself runs in the workflow tests."""

import pytest

from reasonlite.errors import UserError
from reasonlite.training import sft
from reasonlite.training.arguments import check_arguments


def test_arguments_of_trl_and_transformers_are_known():
    check_arguments("sft", {"learning_rate": 1, "packing": True, "use_liger_kernel": True, "max_length": 5}, "stages")


@pytest.mark.parametrize(
    ("name", "message"), [("learning_rat", "did you mean learning_rate"), ("seed", "is set by the workflow")]
)
def test_unknown_and_reserved_arguments_are_named(name, message):
    with pytest.raises(UserError, match=f"(?s)stages.turbo.arguments.{name}: .*{message}"):
        check_arguments("sft", {name: 1}, "stages.turbo.arguments")


def test_the_newest_complete_checkpoint_is_taken(tmp_path):
    assert sft.newest_checkpoint(tmp_path) is None
    for step in (5, 20, 100):
        (tmp_path / f"checkpoint-{step}").mkdir()
        if step != 100:  # the last one was cut off while it was written
            (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text("{}")
    (tmp_path / "checkpoint-tmp").mkdir()
    assert sft.newest_checkpoint(tmp_path).name == "checkpoint-20"


def test_a_loss_that_is_no_number_stops(tmp_path):
    with pytest.raises(UserError, match="stage turbo: the loss is nan at step 3"):
        sft._refuse_divergence([{"loss": 1.0, "step": 2}, {"loss": float("nan"), "step": 3}], "turbo")
