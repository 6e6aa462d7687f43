"""The platform's parts, put together."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from zairyo.server.access import Principal
from zairyo.server.arrays import Cache
from zairyo.server.db import Database, migrate
from zairyo.server.events import Change, Events
from zairyo.server.intake import Intake, Sender
from zairyo.server.models import RECEIVING
from zairyo.server.objects import LocalObjects
from zairyo.server.passwords import RateLimit
from zairyo.server.recent import Recent
from zairyo.server.settings import Settings
from zairyo.server.translation import Dispatcher

#: How long a sending agent's token and instrument are taken for what they were, s.
AGENT_SECONDS = 1.0


@dataclass
class Platform:
    """What a request can reach as ``request.app.state.platform``."""

    settings: Settings
    db: Database
    objects: LocalObjects
    events: Events
    intake: Intake
    translation: Dispatcher
    sign_ins: RateLimit
    """By e-mail: guesses at one person's password."""
    callers: RateLimit
    """By network address, behind which a whole laboratory may be: guesses at many persons' passwords, or codes."""
    forms: Cache
    """Standard forms that somebody is looking at."""
    agents: Recent[str, Principal]
    """Agents that send just now, by what they authorise themselves with: a revoked token ends within a second."""
    senders: Recent[int, Sender]
    """Where the files of an instrument's agent go."""

    def changed(self, changes: list[Change]) -> None:
        """An instrument was changed, paired or unpaired in this process: that counts from now on.

        That files came from it changes nothing of who may send.
        """
        if any(change.kind == "instrument" and change.state != RECEIVING for change in changes):
            self.agents.forget()
            self.senders.forget()

    def start(self) -> None:
        """Start the services' threads."""
        for service in (self.events, self.intake, self.translation):
            service.start()

    def stop(self) -> None:
        """Stop them in the order in which work flows, and close files and connections."""
        for service in (self.intake, self.translation, self.events):
            service.stop()
        self.objects.close()
        self.db.close()


def open_platform(settings: Settings) -> Platform:
    """Make the data folder, bring the catalogue up to date and construct the services, not yet started.

    Raises
    ------
    zairyo.server.db.DatabaseError
        If the database cannot be used.
    """
    settings.data.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):  # not every file system has modes
        settings.data.chmod(0o700)
    db = Database(settings.database_url)
    migrate(db)
    objects = LocalObjects(settings.objects_folder)
    objects.sweep()
    events = Events(db)
    platform = Platform(
        settings=settings,
        db=db,
        objects=objects,
        events=events,
        intake=Intake(db, objects, settings, events),
        translation=Dispatcher(db, objects, settings, events),
        sign_ins=RateLimit(most=10, seconds=300),
        callers=RateLimit(most=100, seconds=300),
        forms=Cache(objects),
        agents=Recent(seconds=AGENT_SECONDS),
        senders=Recent(seconds=AGENT_SECONDS),
    )
    events.listen(platform.changed)
    return platform
