"""Problems: read from their sources, checked, cleaned of copies and benchmark twins, and spread over shards.

It gives the tables under ``problems/``. It never knows models or the answers that are drawn later.
"""
