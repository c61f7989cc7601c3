"""What is said before jobs are submitted, and what is shown of them."""

from collections import Counter
from types import SimpleNamespace

import pytest

from reasonlite.cluster import checks
from reasonlite.cluster.checks import Request

SINFO = """mi300|gpu:mi300x:8(S:0-1)|2-00:00:00|96|1500000|4
mi300|(null)|2-00:00:00|192|760000|2
debug|gpu:1|30:00|8|64000+|1
long|gpu:a100:4,gpu:h100:2|infinite|64|500000|10"""


@pytest.fixture
def kinds(monkeypatch):
    monkeypatch.setattr(checks, "_ask", lambda *command: SINFO if command[0] == "sinfo" else None)
    return checks.node_kinds()


def request(**changes):
    asked = {"partition": "mi300", "account": "", "gpu_type": "mi300x", "gpus": 1, "nodes": 1, "cpus": 12}
    return Request(**({"rule": "generate_answers", "memory": 160000, "minutes": 720} | asked | changes))


@pytest.mark.parametrize(
    ("gres", "expected"),
    [
        ("gpu:mi300x:8", ("mi300x", 8)),
        ("gpu:8", (None, 8)),
        ("gpu", (None, 1)),
        ("gpu:a100:4(S:0-1)", ("a100", 4)),
        ("nvme:1,gpu:2", (None, 2)),
        ("", (None, 0)),
    ],
)
def test_gpus_in_slurms_notation(gres, expected):
    assert checks.gpus_of(gres) == expected


@pytest.mark.parametrize(
    ("limit", "minutes"),
    [
        ("2-00:00:00", 2880),
        ("1-12", 2160),
        ("1-12:30", 2190),
        ("12:30:00", 750),
        ("30:00", 30),
        ("45", 45 / 60),
        ("infinite", None),
    ],
)
def test_times_in_slurms_notation(limit, minutes):
    assert checks.minutes_of(limit) == minutes or checks.minutes_of(limit) == pytest.approx(minutes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"gpus": 8, "nodes": 4, "cpus": 96},
        {"gpus": 0, "gpu_type": None, "cpus": 192},
        {"partition": "long", "gpu_type": None, "gpus": 4, "minutes": 10**6},
        {"partition": ""},  # Slurm's default
    ],
)
def test_what_the_cluster_has_is_not_complained_of(kinds, changes):
    assert checks.complaints([request(**changes)], kinds, "here") == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"partition": "mi250"}, "no partition 'mi250'; it has debug, long, mi300"),
        ({"gpu_type": "h100"}, "no node of partition mi300 has gpu:h100:1; a node has gpu:mi300x:8"),
        ({"gpus": 16}, "has gpu:mi300x:16"),
        ({"partition": "long", "gpu_type": "h100", "gpus": 4}, "a node has gpu:a100:4, gpu:h100:2"),
        ({"minutes": 2881}, "2881 minutes are more than partition mi300 allows (2880)"),
        ({"memory": 1600000}, "1600000 MB are more than a node of partition mi300 has (1500000)"),
        ({"cpus": 200}, "200 CPUs are more"),
        ({"nodes": 7}, "7 nodes are more than partition mi300 has (6)"),
    ],
)
def test_what_the_cluster_lacks_is_named_with_what_to_change(kinds, changes, said):
    (complaint,) = checks.complaints([request(**changes)] * 3, kinds, "profiles/x")
    assert said in complaint and "what to do:" in complaint and "profiles/x" in complaint


@pytest.mark.parametrize(
    ("account", "said"),
    [("", "no account is set and the cluster wants one (yours: amd, maths)"), ("theirs", "'theirs' is not an account")],
)
def test_an_account_is_asked_for_only_where_the_cluster_wants_one(monkeypatch, account, said):
    answers = {"show": "AccountingStorageEnforce = associations,limits\n", "associations": "maths\namd\n", "user": ""}
    monkeypatch.setattr(
        checks, "_ask", lambda *command: next(text for word, text in answers.items() if word in command)
    )
    (complaint,) = checks.account_complaints([request(account=account)], "x")
    assert said in complaint and "what to do: set slurm_account in x" in complaint
    assert checks.account_complaints([request(account="amd")], "x") == []
    answers["user"] = "maths\n"
    assert checks.account_complaints([request()], "x") == []
    answers["show"] = "AccountingStorageEnforce = none\n"
    assert checks.account_complaints([request(account=account)], "x") == []


def test_an_engine_over_more_gpus_than_its_jobs_have_is_named():
    (complaint,) = checks.too_few_gpus([request(gpus=2)] * 2, {"generate_answers": 4, "evaluate_answers": 8}, "x")
    assert complaint.startswith("generate_answers: its engine has tensor_parallel_size 4 and its jobs ask for 2 GPU")
    assert checks.too_few_gpus([request(gpus=4), request(gpus=0)], {"generate_answers": 4}, "x") == []


def test_without_slurms_commands_the_user_is_sent_to_a_login_node(monkeypatch):
    monkeypatch.setenv("PATH", "")
    (complaint,) = checks.check(Counter([request()]), "x")
    assert "no sbatch on PATH" in complaint and "login node" in complaint


class Growing:
    """A job whose memory grows with its tries, as Snakemake's does."""

    rule = SimpleNamespace(name="train")
    threads = 1
    attempt = 1

    @property
    def resources(self):
        return {"slurm_partition": "mi300", "mem_mb": 600000 * self.attempt, "runtime": 60}


def test_the_last_try_is_checked_too(kinds):
    job = Growing()
    first, last = set(checks.requests([job])), checks.last_tries([job, job], 3)
    assert checks.complaints(first, kinds, "x") == [] and job.attempt == 1
    (complaint,) = checks.complaints(last, kinds, "x")
    assert "1800000 MB are more than a node of partition mi300 has (1500000)" in complaint


def test_the_plan_counts_gpus_and_hours():
    jobs = [
        SimpleNamespace(rule=SimpleNamespace(name=rule), threads=1, resources=resources)
        for rule, number, resources in [
            ("generate_answers", 3, {"slurm_partition": "mi300", "gres": "gpu:mi300x:2", "runtime": 720}),
            ("train", 1, {"slurm_partition": "mi300", "gres": "gpu:mi300x:8", "nodes": 4, "runtime": 60}),
            ("vote", 5, {"slurm_partition": "mi300", "runtime": 30}),
        ]
        for _ in range(number)
    ]
    rows = [line.split() for line in checks.plan(checks.requests(jobs)).splitlines()[2:]]
    assert rows == [
        ["generate_answers", "3", "2", "12.0", "72"],
        ["train", "1", "32", "1.0", "32"],
        ["vote", "5", "0", "0.5", "0"],
        ["total", "9", "104"],
    ]
