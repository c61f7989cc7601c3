"""Our reward function called by TRL's own trainer."""

import functools

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.full]


def test_grpo_is_rewarded_with_it(tmp_path, tiny_model):
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    from reasonlite.judge.graders import reward

    seen = []

    @functools.wraps(reward)
    def watched(completions, answer, **more):
        seen.append((completions, answer, more))
        # a miniature of random weights boxes nothing, so its first text is given a box
        completions[0][-1]["content"] = r"\boxed{\frac{4}{2}}"
        return reward(completions, answer, **more)

    rows = Dataset.from_list([{"prompt": [{"role": "user", "content": "1 + 1 ="}], "answer": "2"}] * 2)
    config = GRPOConfig(
        output_dir=str(tmp_path), max_steps=1, per_device_train_batch_size=2, num_generations=2, logging_steps=1,
        max_completion_length=8, use_cpu=True, bf16=False, report_to="none", save_strategy="no",
    )  # fmt: skip
    trainer = GRPOTrainer(model=str(tiny_model), reward_funcs=watched, args=config, train_dataset=rows)
    trainer.train()
    ((completions, answer, more),) = seen
    assert answer == ["2", "2"] and len(completions) == 2 and "prompts" in more
    logged = trainer.state.log_history[0]
    assert logged["rewards/reward/mean"] == pytest.approx(0.5) and logged["reward"] == pytest.approx(0.5)
