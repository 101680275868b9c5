"""Who may do what with a run."""

from __future__ import annotations

import secrets

from explorer.runs.record import ACTIVE, FINAL, Broken, Run


def may_see(run: Run | Broken, visitor: str, shared_link: str = "", admin: bool = False) -> bool:
    """Tell whether a visitor may look at a run: its owner, whoever has its link, an administrator.

    Args:
        run: the run.
        visitor: id of who asks.
        shared_link: the key in the link that was opened; "" without one.
        admin: whether this installation shows everything to this visitor.
    """
    if admin or _owns(run, visitor):
        return True
    key = run.config.link_key if isinstance(run, Run) else ""
    return bool(key) and secrets.compare_digest(key.encode(), shared_link.encode())


def may_stop(run: Run | Broken, visitor: str, admin: bool = False) -> bool:
    """Tell whether a visitor may stop a run: its owner or an administrator, while there is something to stop."""
    return isinstance(run, Run) and run.state not in FINAL and (admin or _owns(run, visitor))


def may_delete(run: Run | Broken, visitor: str, admin: bool = False) -> bool:
    """Tell whether a visitor may delete a run: its owner or an administrator, and not while it runs."""
    active = isinstance(run, Run) and run.state in ACTIVE
    return not active and (admin or _owns(run, visitor))


def _owns(run: Run | Broken, visitor: str) -> bool:
    return bool(visitor) and run.owner == visitor
