"""The tallies that tiers and caps per partner are counted in, kept while many count at once.

A tally is a list of successes in the order of business time and a :class:`Head` with their
sum. Evaluation asks what *other* referrals had before a position. That is answered from the
head alone for whoever comes last, from a :class:`Mark` (what stood there when a referral
recorded its own success) as long as nothing moved before it, and else from the successes
that lie behind.

A place is text that sorts like the position it stands for, so that the store sorts alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from introducer.earning.history import Success, Tally, TallyKey

Place = str
"""``{time}#{referral}#{occasion}``; ids hold nothing that sorts before ``#``."""

_MOST_CHANGES = 20


class Sums(msgspec.Struct, frozen=True):
    """What successes add up to."""

    count: int = 0
    value_minor: int = 0
    used_minor: int = 0

    def plus(self, other: Sums, sign: int = 1) -> Sums:
        """Return the sum, or with *sign* -1 the difference."""
        return Sums(
            self.count + sign * other.count,
            self.value_minor + sign * other.value_minor,
            self.used_minor + sign * other.used_minor,
        )


class Change(msgspec.Struct, frozen=True):
    """A change that was no append: with which version of the head, and from where on."""

    version: int
    place: Place


class Head(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The sum of a tally.

    Attributes:
        version: Rises with every write; 0 before the first.
        moved: The version of the last change that was no append. Whatever was computed
            with it still holds as long as it stays.
        last: The place of the last success.
        dirty: From here on referrals may have less than the books say they have;
            empty when none has. Nothing that depends on the tally is raised meanwhile.
        rising: From here on referrals may have more than the books say; empty when none has.
        changes: The newest changes, each with a higher place than the one before.
    """

    version: int = 0
    moved: int = 0
    count: int = 0
    value_minor: int = 0
    used_minor: int = 0
    last: Place = ""
    dirty: Place = ""
    rising: Place = ""
    changes: tuple[Change, ...] = ()

    @property
    def sums(self) -> Sums:
        """Return what everything recorded adds up to."""
        return Sums(self.count, self.value_minor, self.used_minor)

    def moved_since(self, version: int, place: Place) -> bool:
        """Return whether anything before *place*, or at it, changed after *version*."""
        return any(each.version > version and each.place <= place for each in self.changes)


class Mark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A referral's own success as it is recorded, and what others had before it.

    ``seen`` is the version of the head when that was true.
    """

    key: TallyKey
    success: Success
    before: Sums
    seen: int

    @property
    def place(self) -> Place:
        """Return the place of its success."""
        return place(self.success)


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A tally as one referral sees it.

    Attributes:
        head: As it was read, before anything else.
        own: The referral's own successes, by place.
        tail: Everybody's successes from ``begin`` on, when they were read.
        begin: Where the tail begins; empty when it was not read.
    """

    head: Head
    own: Mapping[Place, Mark]
    tail: Sequence[Success] = ()
    begin: Place = ""

    def before(self, at: Place) -> Sums | None:
        """Return what others have before place *at*; None when the tail must be read to tell."""
        mark = self.own.get(at)
        if mark and not self.head.moved_since(mark.seen, at):
            return mark.before
        others = self.head.sums.plus(total(each.success for each in self.own.values()), -1)
        if at >= self.head.last:
            return others
        if self.begin and self.begin <= at:
            behind = (
                each for each in self.tail if place(each) > at and place(each) not in self.own
            )
            return others.plus(total(behind), -1)
        return None


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written when a referral's own successes are not as recorded."""

    before: Head
    after: Head
    marks: tuple[Mark, ...]


def place(success: Success) -> Place:
    """Return the place of *success*."""
    return f"{success.at}#{success.referral}#{success.occasion}"


def after(at: Place) -> Place:
    """Return the first place behind *at*."""
    return f"{at}\x00"


def total(successes: Iterable[Success]) -> Sums:
    """Return what *successes* add up to."""
    count = value = used = 0
    for each in successes:
        count += each.count
        value += each.value_minor
        used += each.award_minor
    return Sums(count, value, used)


def unknown(view: View, positions: Iterable[Success]) -> Place:
    """Return the first place of *positions* that only the tail can tell of, or nothing."""
    places = (place(each) for each in positions)
    return min((each for each in places if view.before(each) is None), default="")


def tally(view: View, positions: Sequence[Success]) -> Tally:
    """Return what evaluation needs to know of others at *positions*, which are in order.

    What lies between two positions is rolled into one success behind the first of them, so
    that a referral with many own successes costs no more than their number.
    """
    sums = [view.before(place(each)) or Sums() for each in positions]
    if not sums:
        return Tally()
    others = []
    for own, here, following in zip(positions, sums, sums[1:], strict=False):
        between = following.plus(here, -1)
        if between != Sums():
            others.append(
                Success(
                    at=own.at,
                    referral=own.referral,
                    occasion=after(own.occasion),
                    count=between.count,
                    value_minor=between.value_minor,
                    award_minor=between.used_minor,
                )
            )
    first = sums[0]
    return Tally(
        count=first.count,
        value_minor=first.value_minor,
        used_minor=first.used_minor,
        others=tuple(others),
    )


def revise(key: TallyKey, view: View, wanted: Sequence[Success], most: int) -> Revision | None:
    """Return what must be written so that the tally holds *wanted*, or None.

    A success that is no longer one stays in its place and counts nothing. Appending behind
    everything else disturbs nobody; any other change makes the tally dirty from there on.

    Args:
        key: Which tally.
        view: As it was evaluated with.
        wanted: The referral's own successes, in order.
        most: Most successes to write; the rest is for the next time.
    """
    changed = sorted(_changed(view, wanted), key=place)[:most]
    if not changed:
        return None
    head = view.head
    version = head.version + 1
    marks = tuple(
        Mark(key=key, success=each, before=view.before(place(each)) or Sums(), seen=version)
        for each in changed
    )
    recorded = total(view.own[place(each)].success for each in changed if place(each) in view.own)
    sums = head.sums.plus(total(changed)).plus(recorded, -1)
    lowest = place(changed[0])
    appended = lowest > head.last
    new = lowest not in view.own
    dirty, changes, moved = head.dirty, head.changes, head.moved
    if not appended:
        # One that was not there before has nothing in the books that could be too much.
        begin = after(lowest) if new else lowest
        dirty = min(dirty, begin) if dirty else begin
        changes, moved = _with_change(changes, Change(version, lowest)), version
    return Revision(
        before=head,
        after=msgspec.structs.replace(
            head,
            version=version,
            moved=moved,
            count=sums.count,
            value_minor=sums.value_minor,
            used_minor=sums.used_minor,
            last=max(head.last, place(changed[-1])),
            dirty=dirty,
            changes=changes,
        ),
        marks=marks,
    )


Visited = Sequence[tuple[Place, int]]
"""Places whose referral was brought up to date, each with the version it was looked at with."""


def settle(head: Head, visited: Visited, following: Place, rises: Place) -> Head | None:
    """Return *head* with the places *visited* settled downwards, or None when they moved since.

    Args:
        head: As it stands.
        visited: All places from where it is dirty on, in order.
        following: The place of the next success, empty when there is none.
        rises: The first place whose referral is owed more, empty when there is none.
    """
    if _moved(head, visited):
        return None
    rising = min((each for each in (head.rising, rises) if each), default="")
    dirty = max(head.dirty, following) if head.dirty and following else ""
    return msgspec.structs.replace(head, version=head.version + 1, dirty=dirty, rising=rising)


def rise(head: Head, visited: Visited, following: Place) -> Head | None:
    """Return *head* with the places *visited* settled upwards, or None when they moved since."""
    if head.dirty or _moved(head, visited):
        return None
    rising = max(head.rising, following) if head.rising and following else ""
    return msgspec.structs.replace(head, version=head.version + 1, rising=rising)


def _moved(head: Head, visited: Visited) -> bool:
    return any(head.moved_since(version, at) for at, version in visited)


def _changed(view: View, wanted: Sequence[Success]) -> list[Success]:
    want = {place(each): each for each in wanted}
    changed = [
        each for at, each in want.items() if at not in view.own or view.own[at].success != each
    ]
    for at, mark in view.own.items():
        gone = msgspec.structs.replace(mark.success, count=0, value_minor=0, award_minor=0)
        if at not in want and mark.success != gone:
            changed.append(gone)
    return changed


def _with_change(changes: tuple[Change, ...], change: Change) -> tuple[Change, ...]:
    """Return *changes* with one more; those before it that lie behind it are covered by it.

    When there are too many the two oldest become one, which says a little too much.
    """
    kept = [each for each in changes if each.place < change.place]
    kept.append(change)
    if len(kept) > _MOST_CHANGES:
        kept[:2] = [Change(kept[1].version, kept[0].place)]
    return tuple(kept)
