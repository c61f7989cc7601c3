"""How often Python looks for cyclic garbage."""

import gc

from reasonlite.core import startup


def test_it_looks_seldom_until_the_work_begins_and_no_more_at_what_was_there_then():
    try:
        startup.begin()
        assert gc.get_threshold() == startup.SELDOM
        startup.done()
        assert gc.get_threshold() == startup.USUAL and gc.get_freeze_count() > 1000
    finally:
        gc.unfreeze()
        gc.set_threshold(*startup.USUAL)
