"""Files that came one by one and make one run: ``map.emi`` with its ``map_1.ser`` (``Reader.sets``).

Each is received as a measurement of its own, so that its bytes are safe at once. When one is taken for translation, the
files that its sender has beside it are looked at by name. The main file of a set is given the others; whether
they do belong to it the reader sees from what is in them. If so, they are listed as its raw files, and their own
measurements are not shown any more (:class:`~zairyo.server.models.Part`). Any other of a set lets its main file
wait again, which was perhaps translated before it came. All this is state of the catalogue, changed together with
the lease or the result, so nothing is forgotten whoever is killed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeAlias

from sqlalchemy import delete, insert, or_, select
from sqlalchemy.orm import Session

from zairyo.measurement import RawFile as SourceFile
from zairyo.server.events import Events
from zairyo.server.models import Measurement, Part, RawFile
from zairyo.server.parts import again, hide, portions, show
from zairyo.server.translation.leases import Companion, Work

#: ``Reader.sets``: the sorted names in a folder → the sets among them, each its main file's name first.
FindSets: TypeAlias = Callable[[tuple[str, ...]], Iterable[tuple[str, ...]]]

#: How many files before one and after it, in the order of their paths, are looked at: those of a set are near.
NEAR = 300
#: In a folder that has more, sets are looked for among so many on either side at least.
FEW = 50
#: So many sets that one file may be the main file of are tried; names can be chosen so that there are very many.
MOST_WAYS = 8


@dataclass(frozen=True)
class _Sender:
    """Whose files may make a set: one project's of one instrument's agent, or those a person sent at once."""

    project_id: int
    instrument_id: int | None
    account_id: int | None
    batch: str | None

    @property
    def may_send_sets(self) -> bool:
        return self.account_id is None or self.batch is not None

    def near(self, session: Session, path: str) -> _Near:
        """Its files near ``path``."""
        m = Measurement
        # Each by the columns of its index alone, and what few rows it has to be compared with.
        index = m.instrument_id == self.instrument_id if self.batch is None else m.batch == self.batch
        files = select(m.path, m.id).where(
            index, m.account_id == self.account_id, m.project_id == self.project_id, m.files_expected == 1
        )
        before: Any = files.where(m.path <= path).order_by(m.path.desc(), m.id).limit(NEAR)
        after: Any = files.where(m.path > path).order_by(m.path, m.id).limit(NEAR)
        first, last = session.execute(before).all(), session.execute(after).all()
        latest: dict[str, int] = {}
        for name, number in (*reversed(first), *last):
            latest[name] = max(number, latest.get(name, 0))
        return _Near(latest, len(first) < NEAR, len(last) < NEAR)


@dataclass
class _Near:
    """The files near one: the latest measurement of each path, in their order; whether that is all on either side."""

    latest: Mapping[str, int]
    begins: bool
    ends: bool
    _folders: dict[str, _Folder] = field(default_factory=dict)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {path: place for place, path in enumerate(self.latest)}

    def covers(self, path: str) -> bool:
        """Whether what is near ``path``, too, is among them."""
        at = self._places.get(path)
        if at is None:
            return False
        return (self.begins or at >= NEAR // 2) and (self.ends or len(self.latest) - at > NEAR // 2)

    def sets(self, path: str, readers: Sequence[FindSets]) -> list[tuple[str, ...]]:
        """The sets in the file's folder that it may belong to, as paths."""
        folder, slash, name = path.rpartition("/")
        folder += slash
        if folder not in self._folders:
            self._folders[folder] = _Folder.of(folder, list(self.latest), self.begins, self.ends)
        return [
            tuple(folder + member for member in members)
            for members in self._folders[folder].sets(name, readers)
        ]


@dataclass
class _Folder:
    """The names in a folder in their order, as far as they are known, and whether that is all on either side."""

    names: Sequence[str]
    begins: bool
    ends: bool
    _sets: dict[int, Mapping[str, list[tuple[str, ...]]]] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: str, paths: Sequence[str], begins: bool, ends: bool) -> _Folder:
        inside = (p[len(folder) :] for p in paths if p.startswith(folder))
        return cls(
            [name for name in inside if "/" not in name],
            begins or not paths[0].startswith(folder),
            ends or not paths[-1].startswith(folder),
        )

    def sets(self, name: str, readers: Sequence[FindSets]) -> list[tuple[str, ...]]:
        """The sets that ``name`` may belong to."""
        is_whole = self.begins and self.ends
        block = 0 if is_whole else self.names.index(name) // FEW
        if block not in self._sets:
            start = 0 if is_whole else max(block - 1, 0) * FEW
            end = len(self.names) if is_whole else (block + 2) * FEW
            self._sets[block] = self._find(start, end, readers)
        return self._sets[block].get(name, [])

    def _find(self, start: int, end: int, readers: Sequence[FindSets]) -> Mapping[str, list[tuple[str, ...]]]:
        names = self.names[start:end]
        # A set that has the last name may go on behind it: no set is better than half of one.
        cut = {names[0]} if start or not self.begins else set()
        cut |= {names[-1]} if end < len(self.names) or not self.ends else set()
        found: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        for sets in readers if len(names) > 1 else ():
            with suppress(Exception):  # a plug-in's mistake must not keep the others from their files
                for members in sets(tuple(sorted(names))):
                    for name in members if len(members) > 1 and cut.isdisjoint(members) else ():
                        found[name].append(members)
        return found


def attach(
    session: Session, events: Events, works: Sequence[Work], readers: Sequence[FindSets]
) -> list[Work]:
    """Give main files among ``works`` the sets they may make; let main files of others wait again."""
    alone = [work.id for work in works if not work.folder]
    if not alone or not readers:
        return list(works)
    m = Measurement
    rows: Any = session.execute(
        select(m.id, m.path, m.project_id, m.instrument_id, m.account_id, m.batch).where(m.id.in_(alone))
    )
    near: dict[_Sender, _Near] = {}
    mains: dict[int, list[list[int]]] = {}  # work → the rest of each set it may be the main file of
    sides: dict[int, set[int]] = defaultdict(set)  # main file → works that may belong to it
    for number, path, *sender in sorted(rows):
        who = _Sender(*sender)
        if not who.may_send_sets:
            continue
        if who not in near or not near[who].covers(path):
            near[who] = who.near(session, path)
        latest = near[who].latest
        if latest.get(path) != number:
            continue  # a later version of it is there; this one keeps what it has
        mains[number] = []
        for found in near[who].sets(path, readers):
            ids = [latest[member] for member in found]
            if ids[0] == number:
                mains[number].append(ids[1:])
            else:
                sides[ids[0]].add(number)
    known = _companions(session, {i for sets in mains.values() for ids in sets for i in ids})
    _let_wait(session, events, sides, {work.id for work in works})
    return [_with_sets(work, mains[work.id], known) if work.id in mains else work for work in works]


def _companions(session: Session, ids: Iterable[int]) -> dict[int, Companion]:
    m, f = Measurement, RawFile
    found = {}
    for some in portions(ids):
        rows: Any = session.execute(
            select(m.id, m.path, f.name, f.sha256, f.size, f.modified_at, f.received_at)
            .join(f, f.measurement_id == m.id)
            .where(m.id.in_(some))
        )
        for number, path, name, sha256, size, modified, received in rows:
            if name == path.rpartition("/")[2]:
                found[number] = Companion(number, SourceFile(name, sha256, size), modified, received)
    return found


def _let_wait(
    session: Session, events: Events, sides: Mapping[int, Iterable[int]], claimed: Iterable[int]
) -> None:
    """Have main files translated again that have not got what belongs to them.

    Whoever translates one now does so without it: the lease is taken away, and the result will not count.
    """
    m = Measurement
    due = sides.keys() - set(claimed)
    if not due:
        return
    rows: Any = session.execute(
        select(m.id, m.uid, m.project_id).where(m.id.in_(due)).order_by(m.id).with_for_update()
    ).all()
    has: Any = session.execute(
        select(RawFile.measurement_id, RawFile.name, RawFile.sha256).where(RawFile.measurement_id.in_(due))
    )
    known = {tuple(row) for row in has}
    sent = _companions(session, {i for number in due for i in sides[number]})
    for number, uid, project_id in rows:
        files = [sent[i].file for i in sides[number] if i in sent]
        if all((number, f.name, f.sha256) in known for f in files):
            continue
        again(session, events, number, uid, project_id)


def _with_sets(work: Work, sets: Iterable[Iterable[int]], known: Mapping[int, Companion]) -> Work:
    """The work with its own file alone and the sets that it may make; what belonged to it before may not now."""
    found = (tuple(known[i] for i in ids if i in known) for ids in sets)
    ways = dict.fromkeys(companions for companions in found if companions)
    return replace(work, files=work.files[:1], sets=tuple(ways)[:MOST_WAYS])


def keep_parts(session: Session, events: Events, results: Sequence[tuple[Work, Sequence[Companion]]]) -> None:
    """Note which files belong to the measurements that were translated just now, and show them as one."""
    had: dict[int, set[int]] = defaultdict(set)
    m = Measurement
    rows: Any = session.execute(
        select(m.id, Part.measurement_id)
        .join(Part, or_(Part.whole_id == m.id, Part.whole_id == m.previous_id))
        .where(m.id.in_([work.id for work, _ in results]), m.superseded.is_(False))
    )
    for whole, number in rows:
        had[whole].add(number)
    for work, companions in results:
        now_in = {c.measurement_id for c in companions}
        if not companions and not had[work.id]:
            continue
        own = {f.name for f in work.files}
        session.execute(delete(RawFile).where(RawFile.measurement_id == work.id, RawFile.name.not_in(own)))
        if companions:
            session.execute(insert(RawFile), [_row(work.id, c) for c in companions])
        show(session, events, had[work.id] - now_in)
        hide(session, events, work.id, now_in)


def _row(measurement_id: int, companion: Companion) -> dict[str, Any]:
    return {
        "measurement_id": measurement_id,
        "name": companion.file.name,
        "sha256": companion.file.sha256,
        "size": companion.file.size,
        "modified_at": companion.modified_at,
        "received_at": companion.received_at,
    }
