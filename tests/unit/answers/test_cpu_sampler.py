"""Tokens drawn by the inverse of the distribution function have the distribution that vLLM's sampler has."""

import pytest

torch = pytest.importorskip("torch")
from reasonlite.answers.engines.cpu_sampler import draw  # noqa: E402

DRAWS = 40_000


def frequencies(probabilities, top_p=None):
    torch.manual_seed(7)
    rows = torch.tensor(probabilities).log().expand(DRAWS, -1)
    tokens = draw(rows.clone(), None if top_p is None else torch.full((DRAWS,), top_p))
    return (torch.bincount(tokens, minlength=len(probabilities)) / DRAWS).tolist()


def close(found, wanted):
    """Within four standard errors of each share."""
    return all(
        abs(share - p) <= 4 * (p * (1 - p) / DRAWS) ** 0.5 + 1e-12 for share, p in zip(found, wanted, strict=True)
    )


def test_words_are_drawn_in_proportion_to_their_probability():
    wanted = [0.5, 0.25, 0.125, 0.0625, 0.0625]
    assert close(frequencies(wanted), wanted)
    assert not close(frequencies(wanted), [0.48, 0.27, 0.125, 0.0625, 0.0625])


@pytest.mark.parametrize("words", [512, 700])
def test_of_many_words_too_which_are_looked_at_in_blocks(words):
    """Weight at the seams of blocks of 256 words, and on the last word of a block that is not full."""
    wanted = [0.2 / (words - 4)] * words
    for place, share in ((0, 0.1), (255, 0.2), (256, 0.3), (words - 1, 0.2)):
        wanted[place] = share
    found = frequencies(wanted)
    seams = [0, 255, 256, words - 1]
    assert close([found[place] for place in seams], [wanted[place] for place in seams])
    blocks = [range(start, min(start + 256, words)) for start in range(0, words, 256)]
    assert close(*([sum(shares[word] for word in block) for block in blocks] for shares in (found, wanted)))


def nucleus(probabilities, top_p):
    """As vLLM cuts it: from the least likely up, what is within 1 - top_p goes; the likeliest word always stays."""
    order = sorted(range(len(probabilities)), key=lambda word: probabilities[word])
    total, kept = 0.0, dict(enumerate(probabilities))
    for word in order[:-1]:
        total += probabilities[word]
        if total <= 1 - top_p:
            kept[word] = 0.0
    mass = sum(kept.values())
    return [kept[word] / mass for word in range(len(probabilities))]


@pytest.mark.parametrize("top_p", [0.05, 0.6, 0.8, 0.97])
def test_of_the_nucleus_alone_the_same_way(top_p):
    words = [0.1, 0.3, 0.05, 0.45, 0.08, 0.02]
    assert close(frequencies(words, top_p), nucleus(words, top_p))


def test_a_nucleus_wider_than_the_likeliest_words_is_whole(monkeypatch):
    """Rows whose nucleus lies among the likeliest words, beside rows where it does not."""
    monkeypatch.setattr("reasonlite.answers.engines.cpu_sampler.HEAD", 3)
    flat, peaked = [0.1] * 10, [0.91] + [0.01] * 9
    torch.manual_seed(3)
    rows = torch.tensor([flat, peaked]).log().repeat(DRAWS, 1)
    tokens = draw(rows, torch.full((2 * DRAWS,), 0.85))
    shares = [torch.bincount(tokens[each::2], minlength=10) / DRAWS for each in (0, 1)]
    assert (shares[0] > 0).sum() == 9 and shares[1][0] == 1.0


def test_words_without_probability_are_never_drawn():
    torch.manual_seed(1)
    rows = torch.tensor([[float("-inf"), 0.0, float("-inf"), 0.0]]).expand(DRAWS, -1)
    assert set(draw(rows.clone(), None).tolist()) == {1, 3}
    assert set(draw(rows.clone(), torch.full((DRAWS,), 1.0)).tolist()) == {1, 3}
