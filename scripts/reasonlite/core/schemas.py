"""Columns and types of every table. Does not know how tables are read or written."""

from __future__ import annotations

import polars as pl

PROBLEMS = pl.Schema(
    {
        "id": pl.String,  # <source>:<n>, stable across runs
        "source": pl.String,
        "problem": pl.String,
        "answer": pl.String,  # the data set's label; null where the source has none
    }
)
SOURCED = pl.Schema([*PROBLEMS.items(), ("unusable", pl.String)])  # why it cannot be learnt from; null if it can
VARIANT_OF_BENCHMARK = "variant of a benchmark problem"  # a reason in DROPPED, or what is in NOTICED
DROPPED = pl.Schema(
    [
        *PROBLEMS.items(),
        ("reason", pl.String),
        ("twin", pl.String),  # the problem that it is too much like; null where that is not the reason
        ("score", pl.Float64),  # how much, 0 to 1: share of n-grams in common, or similarity
    ]
)
NOTICED = pl.Schema(
    {
        "id": pl.String,
        "source": pl.String,
        "what": pl.String,
        "label": pl.String,
        "twin": pl.String,
        "twin_label": pl.String,
        "score": pl.Float64,
    }
)
ANSWERS = pl.Schema(
    {
        "answer_id": pl.String,  # <problem id>_<number>
        "problem_id": pl.String,
        "effort": pl.String,
        "number": pl.Int32,  # 0 .. answers_per_problem - 1
        "seed": pl.Int64,
        "text": pl.String,  # the reply as the engine gave it; null when the request failed
        "status": pl.String,  # complete, cut, malformed, failed
        "answer": pl.String,  # final answer; null when there is none
        "prompt_tokens": pl.Int32,
        "tokens": pl.Int32,  # generated tokens
        "finish_reason": pl.String,
        "error": pl.String,
    }
)
JOURNAL = pl.Schema(
    {
        "key": pl.String,  # of the request
        "text": pl.String,  # null exactly when error says why
        "prompt_tokens": pl.Int32,
        "tokens": pl.Int32,
        "finish_reason": pl.String,
        "error": pl.String,
        "seed": pl.Int64,  # the one used: a request that failed is tried again with another
        "tries": pl.Int32,  # made so far, this one included
    }
)
RECORDED = pl.Schema(
    {
        "problem_id": pl.String,
        "number": pl.Int32,
        "text": pl.String,  # null when the request failed
        "judge": pl.Boolean,  # ReasonLite's own verdict against the data set's label; null where it has none
        "judge_vote": pl.Boolean,  # the same against its vote
    }
)
TAKEN = pl.Schema(
    {
        "answer_id": pl.String,
        "problem_id": pl.String,
        "number": pl.Int32,
        "place": pl.String,  # file and line, row or sample of the log
        "prompt": pl.String,  # what the model was sent, as the log has it
        "target": pl.String,  # the label that the log's program compared with
        "extracted": pl.String,  # the final answer that it found
        "score": pl.Float64,  # its own verdict, 0 to 1; null where the log has none for this draw
    }
)
GROUPS = pl.Schema(
    {
        "problem_id": pl.String,
        "answer": pl.String,  # a distinct final answer, or the label
        "class": pl.Int32,  # answers of one class are equal; numbered from 0 in each problem
        "is_label": pl.Boolean,  # the data set's label is this string
        "equals_label": pl.Boolean,  # equal to the data set's label; null without one
        "by_rounding": pl.Boolean,  # equal to it only because it is a rounded decimal; null without one
        "count": pl.Int32,  # answers with this final answer
    }
)
PAIRS = pl.Schema(
    {
        "problem_id": pl.String,
        "left": pl.String,
        "right": pl.String,
        "verdict": pl.String,  # equal, different, undecided
        "method": pl.String,  # what decided, or why nothing did
    }
)
TIMINGS = pl.Schema(
    {"problem_id": pl.String, "left": pl.String, "right": pl.String, "method": pl.String, "seconds": pl.Float64}
)
ADJUDICATED = pl.Schema(
    {
        "problem_id": pl.String,
        "left": pl.String,
        "right": pl.String,
        "asked": pl.String,  # why: undecided, sample, label, top
        "rules": pl.String,  # the rules' verdict
        "verdict": pl.String,  # the model's: equal, different, undecided
        "attempts": pl.Int32,  # requests made, malformed replies included
        "reply": pl.String,  # text of the last reply; null when the request failed
        "error": pl.String,
    }
)
VOTES = pl.Schema(
    {
        "problem_id": pl.String,
        "drawn": pl.Int32,  # answers drawn
        "voting": pl.Int32,  # answers with a final answer: the votes
        "top_answer": pl.String,  # null when nothing voted or the top is tied
        "top_class": pl.Int32,
        "top_votes": pl.Int32,
        "share": pl.Float64,  # of the votes that the top answer has, by weight
        "dataset_answer": pl.String,
        "dataset_class": pl.Int32,
        "label": pl.String,
        "label_class": pl.Int32,
        "label_source": pl.String,  # vote, dataset, none
    }
)
AGREEMENT = pl.Schema({"measure": pl.String, "value": pl.Float64})
SWEEP = pl.Schema(
    {
        "min_share": pl.Float64,
        "min_votes": pl.Int32,
        "problems": pl.Int32,
        "by_vote": pl.Int32,
        "replaced": pl.Int32,
        "added": pl.Int32,
        "agreement": pl.Float64,
    }
)
JUDGED = pl.Schema(
    {
        "answer_id": pl.String,
        "problem_id": pl.String,
        "source": pl.String,
        "effort": pl.String,
        "number": pl.Int32,
        "status": pl.String,
        "finish_reason": pl.String,
        "tokens": pl.Int32,
        "answer": pl.String,
        "class": pl.Int32,
        "correct": pl.Boolean,  # against the data set's label; null without one
        "by_rounding": pl.Boolean,  # right only because the label is a rounded decimal; null without one
        "correct_vote": pl.Boolean,  # against the label after voting; null without one
        "pass_rate": pl.Float64,  # share right of the problem's answers at this effort, by the vote if there is one
        "share": pl.Float64,  # the vote's share
        "label_source": pl.String,
    }
)
GRADED = pl.Schema(
    {
        "answer_id": pl.String,
        "problem_id": pl.String,
        "number": pl.Int32,
        "status": pl.String,
        "label": pl.String,
        "answer": pl.String,  # the final answer that the rules were given
        "rules": pl.Boolean,  # correct in JUDGED
        "method": pl.String,  # by what the rules decided
        "equality": pl.Boolean,  # answer and label are the same text
        "math_verify": pl.Boolean,
        "llm": pl.Boolean,  # a model's; null where it gave no usable reply
        "own": pl.Boolean,  # verdict of the log that the answer was taken from: a score above one half
        "score": pl.Float64,  # that score
        "extracted": pl.String,  # the final answer that the log's program found
        "extracted_rules": pl.Boolean,  # the rules' verdict on that one
    }
)
GRADERS = pl.Schema(
    {
        "benchmark": pl.String,
        "model": pl.String,
        "grader": pl.String,  # rules, math_verify, equality, own, llm
        "problems": pl.Int64,
        "answers": pl.Int64,  # with this grader's verdict
        "accuracy": pl.Float64,  # per cent, mean over problems
        "low": pl.Float64,
        "high": pl.Float64,
        "agreement": pl.Float64,  # per cent of answers where it says what the rules say
        "kappa": pl.Float64,  # Cohen's; null where one of the two always says the same
        "accepts": pl.Int64,  # answers right for it and not for the rules
        "rejects": pl.Int64,  # the other way round
    }
)
CONTAMINATION = pl.Schema(
    {
        "benchmark": pl.String,
        "problems": pl.Int64,
        "twins": pl.Int64,  # its problems that a training source had too, in the same or nearly the same words
        "variants": pl.Int64,  # its other problems of which a training source had one with other numbers
        "clean": pl.Int64,  # its problems that are neither
        "model": pl.String,
        "whole": pl.Float64,  # avg@n over all problems, per cent, with its 95% interval
        "whole_low": pl.Float64,
        "whole_high": pl.Float64,
        "part": pl.Float64,  # the same over the clean ones; null where there are none
        "part_low": pl.Float64,
        "part_high": pl.Float64,
    }
)
EXPLAINED = pl.Schema(
    {
        "benchmark": pl.String,
        "left": pl.String,
        "right": pl.String,
        "part": pl.String,  # whole, or what it is made of
        "value": pl.Float64,  # points of right less left; the parts add up to the whole
        "low": pl.Float64,  # of the 95% interval; null for what is a plain difference of two stated numbers
        "high": pl.Float64,
        "answers": pl.Int64,  # answers, or problems, in which the two differ by this part
    }
)
EXECUTIONS = pl.Schema(
    {
        "answer_id": pl.String,
        "program": pl.String,  # null when the reply holds none
        "status": pl.String,  # passed, failed, timeout
        "detail": pl.String,
    }
)
RESULTS = pl.Schema(
    {
        "model": pl.String,
        "benchmark": pl.String,
        "metric": pl.String,
        "value": pl.Float64,
        "low": pl.Float64,  # of the 95% interval; of draws the lowest, of percentiles the next
        "high": pl.Float64,
        "problems": pl.Int64,
        "answers": pl.Int64,  # for each problem
    }
)
COMPARISONS = pl.Schema(
    {
        "benchmark": pl.String,
        "left": pl.String,
        "right": pl.String,
        "difference": pl.Float64,  # avg@n of right less left, in points
        "low": pl.Float64,
        "high": pl.Float64,
        "detectable": pl.Float64,  # the smallest difference, in points, found with 80% power; see evaluation/power.py
        "gained": pl.Int64,  # problems that only right solves with most of its answers
        "lost": pl.Int64,
        "p": pl.Float64,  # McNemar's exact test on those
        "p_holm": pl.Float64,
    }
)
PER_PROBLEM = pl.Schema(
    {
        "benchmark": pl.String,
        "problem_id": pl.String,
        "model": pl.String,
        "right": pl.Int64,
        "answers": pl.Int64,
        "tokens": pl.Float64,
    }
)
CURVES = pl.Schema(
    {
        "curve": pl.String,  # pass@k, budget, thinking
        "benchmark": pl.String,
        "model": pl.String,
        "x": pl.Int64,  # k, generated tokens allowed for an answer, or for its reasoning
        "value": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
    }
)
COMPUTE = pl.Schema(
    {
        "model": pl.String,
        "benchmark": pl.String,
        "parameters": pl.Float64,  # billions
        "tokens": pl.Float64,  # mean of an answer
        "pflops": pl.Float64,  # of all answers to the benchmark
        "accuracy": pl.Float64,  # avg@n, per cent
    }
)
LENGTHS = pl.Schema(
    {
        "part": pl.String,  # teacher's effort, or model and benchmark
        "verdict": pl.String,  # right, wrong
        "low": pl.Float64,  # tokens, the bin's edges
        "high": pl.Float64,
        "answers": pl.Int64,
    }
)
VOTE_SHARES = pl.Schema({"low": pl.Float64, "high": pl.Float64, "agrees": pl.String, "problems": pl.Int64})
DIFFICULTY = pl.Schema(
    {
        "problem_id": pl.String,
        "source": pl.String,
        "answers": pl.Int32,  # drawn for it
        "pass_rate": pl.Float64,  # share right of them, by the label after voting or the data set's; null without one
        "tokens": pl.Float64,  # mean of an answer
        "voting": pl.Int32,  # votes of the teacher's answers, whoever is asked here
        "share": pl.Float64,  # of them that the top answer has, by weight
        "label_source": pl.String,  # vote, dataset, none
    }
)
MESSAGES = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))
CURRICULUM = pl.Schema(
    [
        ("answer_id", pl.String),
        ("problem_id", pl.String),
        ("source", pl.String),
        ("effort", pl.String),
        ("tokens", pl.Int32),  # as the teacher generated them
        ("messages", MESSAGES),
    ]
)
FUNNEL = pl.Schema(
    {"stratum": pl.String, "shard": pl.Int32, "step": pl.String, "answers": pl.Int64, "tokens": pl.Int64}
)
TRAINING_LOG = pl.Schema(
    {
        "stage": pl.String,
        "step": pl.Int64,
        "epoch": pl.Float64,
        "loss": pl.Float64,
        "learning_rate": pl.Float64,
        "grad_norm": pl.Float64,
        "tokens": pl.Int64,
        "mean_token_accuracy": pl.Float64,
        "reward": pl.Float64,  # mean of a step's answers, weighted as the stage says; GRPO only
        "reward_std": pl.Float64,
        "completion_length": pl.Float64,  # mean tokens of the answers drawn; distillation and GRPO
        "truncated": pl.Float64,  # share of them that the limit of tokens ended
        "correct": pl.Float64,  # mean of a part of the reward, before its weight; from here on GRPO only
        "format": pl.Float64,
        "no_signal": pl.Float64,  # share of answers whose group all got one reward, from which nothing is learnt
        "all_right": pl.Float64,  # share of groups with only right answers
        "all_wrong": pl.Float64,
        "clip_share": pl.Float64,  # share of tokens whose ratio of probabilities was clipped
        "kl": pl.Float64,  # from the reference model, nats a token; null with beta 0
        "entropy": pl.Float64,  # of the next token, nats
    }
)
ROLLOUTS = pl.Schema(
    [
        ("step", pl.Int64),  # the first one that learns from the answer, from 1
        ("problem_id", pl.String),
        ("number", pl.Int32),  # place in its group, from 0
        ("prompt", MESSAGES),
        ("completion", pl.String),
        ("tokens", pl.Int32),
        ("truncated", pl.Boolean),  # ended by the limit of tokens
        ("answer", pl.String),  # final answer; null when there is none
        ("verdict", pl.String),  # equal, different, undecided; null without an answer
        ("method", pl.String),  # what decided, or why nothing did
        ("correct", pl.Float64),  # parts of the reward, before their weights
        ("format", pl.Float64),
        ("reward", pl.Float64),  # their weighted sum
        ("advantage", pl.Float64),  # the reward beside those of its group, as TRL's scale_rewards says
    ]
)
ROLLOUTS_BY_PHASE = pl.Schema(
    {
        "stage": pl.String,
        "first": pl.Int64,  # steps of the phase, a tenth of the training
        "last": pl.Int64,
        "groups": pl.Int64,
        "answers": pl.Int64,
        "reward": pl.Float64,  # mean
        "correct": pl.Float64,  # shares of answers, per cent
        "undecided": pl.Float64,
        "no_answer": pl.Float64,
        "truncated": pl.Float64,
        "all_right": pl.Float64,  # shares of groups, per cent
        "all_wrong": pl.Float64,
        "no_signal": pl.Float64,
        "tokens": pl.Float64,  # mean of an answer
    }
)
LEARNED = pl.Schema(
    {
        "step": pl.Int64,  # whose gradients the example was part of, from 1
        "stratum": pl.String,
        "answer_id": pl.String,
    }
)
TRAINING_SPEED = pl.Schema(
    {
        "stage": pl.String,
        "step": pl.Int64,  # of the log entry that ends the interval
        "seconds": pl.Float64,
        "tokens_per_second": pl.Float64,
        "peak_memory_mb": pl.Float64,  # so far; of the GPU where there is one, else of the process
    }
)
