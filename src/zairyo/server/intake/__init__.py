"""Intake: uploads by tus 1.0, their bytes durable before they are confirmed, each file catalogued exactly once."""

from zairyo.server.intake.refused import Refused
from zairyo.server.intake.sender import Sender, find_sender
from zairyo.server.intake.service import SMALL_BYTES, Intake, State

__all__ = ["SMALL_BYTES", "Intake", "Refused", "Sender", "State", "find_sender"]
