"""What a new process does before anything else; imported for that alone.

Measured with ``make bench NAME=submit``; together a third of what importing the API cost:

* The garbage collector walks everything loaded so far again and again while modules load,
  and finds nothing, for modules stay. So it waits until there is much that is new.
* Heavy packages reached through a long chain of imports cost up to a quarter more than the
  same packages imported from near the top. CPython gives the frames of the chain memory in
  small pieces; where a piece ends inside a loop, it is mapped and unmapped on every turn.
"""

from __future__ import annotations

import gc

_NEW_OBJECTS = 50_000  # some megabytes of garbage at most

gc.set_threshold(_NEW_OBJECTS, 20, 50)

import pynamodb.connection.base  # noqa: E402, F401  (the collector first)
